import type { Handlers, Interceptor } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, CALLS, type Kit } from './support/bed.ts'
import { failure, type Gate, gate, turns } from './support/wait.ts'

// The caller of a notify is gone once the request is handed over.
const WAITING = CALLS.filter(({ name }) => name !== 'notify')
const passing: Interceptor = (call, next) => next(call)

/** Handlers that do not care whether anybody waits for them, until the gate is open. */
function deaf(open: Gate<void>, started: () => void): Partial<Handlers<typeof Kit>> {
  const wait = async (): Promise<number> => {
    started()
    await open.promise
    return 1
  }
  async function* waiting() {
    yield await wait()
  }
  return {
    call: wait,
    collect: wait,
    produce: waiting,
    talk: waiting,
    inner: { echo: async () => String(await wait()) },
  }
}

describe.each([
  ['', []],
  [', through an interceptor', [passing]],
])('handlers that run on though their calls are over%s', (_, serverInterceptors) => {
  it.each(WAITING)(
    'are as many as maxAbandonedCalls; then calls are refused until one has ended: $name',
    async ({ run }) => {
      const open = gate()
      let running = 0
      const handlers = deaf(open, () => running++)
      const { client, errors } = bed({ handlers, serverInterceptors, maxAbandonedCalls: 3 })
      for (let n = 1; n <= 3; n++) {
        const abort = new AbortController()
        const outcome = failure(run(client, { signal: abort.signal }))
        await turns(10)
        expect(running).toBe(n)
        abort.abort()
        expect((await outcome).code).toBe('cancelled')
        await turns()
      }
      const refused = await failure(run(client))
      expect(refused.code).toBe('resource_exhausted')
      expect(refused.message).toContain('maxAbandonedCalls')
      expect(running).toBe(3)
      expect(errors.map(({ error }) => error)).toContainEqual(expect.objectContaining({ code: 'resource_exhausted' }))
      open.resolve()
      await turns(10)
      await run(client)
      expect(running).toBe(4)
    },
  )

  it('do not count once they have ended, however that was', async () => {
    const handlers: Partial<Handlers<typeof Kit>> = {
      async call(n, { signal }) {
        if (n === 1) throw new Error('by mistake')
        if (n === 2) return n
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        if (n === 3) throw signal.reason
        return n
      },
    }
    const { client } = bed({ handlers, serverInterceptors, maxAbandonedCalls: 1 })
    for (let round = 0; round < 3; round++) {
      await failure(client.call(1))
      expect(await client.call(2)).toBe(2)
      for (const n of [3, 4]) {
        const abort = new AbortController()
        const outcome = failure(client.call(n, { signal: abort.signal }))
        await turns(10)
        abort.abort()
        expect((await outcome).code).toBe('cancelled')
        await turns(10)
      }
      expect((await failure(client.call(3, { timeout: 1 }))).code).toBe('deadline_exceeded')
      await turns(10)
    }
  })
})
