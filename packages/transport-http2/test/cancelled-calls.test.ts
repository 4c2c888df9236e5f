import type { CallOptions, Context, Handlers } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { connectEcho, type Echo } from './service.ts'

// Far more than the 1,000 or so resets with which node:http2 gives up a session.
const CALLS = 5000
const AT_A_TIME = 50

/** Runs as many calls, some at a time, one after the other. */
async function many(call: () => Promise<void>): Promise<void> {
  const run = async (): Promise<void> => {
    for (let n = 0; n < CALLS / AT_A_TIME; n++) await call()
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, run))
}

/** Handlers that count how many of them have begun, and how many have been stopped by their signals. */
function counting() {
  const count = { begun: 0, stopped: 0 }
  const begin = (signal: AbortSignal): void => {
    count.begun++
    signal.addEventListener('abort', () => count.stopped++, { once: true })
  }
  const until = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const changed: Partial<Handlers<typeof Echo>> = {
    wait(_: void, { signal }: Context) {
      begin(signal)
      return until(signal)
    },
    async *count(_: number, { signal }: Context) {
      begin(signal)
      yield 1
      await until(signal)
    },
    // It takes none of its updates.
    async *talk(_: void, _updates: AsyncIterable<unknown>, { signal }: Context) {
      begin(signal)
      yield 1
      await until(signal)
    },
  }
  return { count, changed }
}

/** Resolves to the code that the call was rejected with. */
function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'resolved',
    (error: { code: unknown }) => error.code,
  )
}

describe(`${CALLS} cancelled calls leave their session as it is`, () => {
  async function counted() {
    const { count, changed } = counting()
    const echo = await connectEcho({}, {}, changed)
    let sessions = 0
    echo.listener.server.on('session', () => sessions++)
    return {
      ...echo,
      /** All have been heard of, on the one session, which goes on. */
      async expectUnharmed() {
        expect(await echo.client.echo('still here')).toBe('still here')
        expect({ ...count, sessions }).toEqual({ begun: CALLS, stopped: CALLS, sessions: 1 })
      },
    }
  }

  test('unary, by their signal, while the handler waits', async () => {
    await using echo = await counted()
    await many(async () => {
      const controller = new AbortController()
      const options: CallOptions = { signal: controller.signal }
      const outcome = codeOf(echo.client.wait(undefined, options))
      // The request is there once a later one is answered.
      await echo.client.echo(1)
      controller.abort()
      expect(await outcome).toBe('cancelled')
    })
    await echo.expectUnharmed()
  })

  test('server streaming, after the first response', async () => {
    await using echo = await counted()
    await many(async () => {
      for await (const n of echo.client.count(1)) {
        expect(n).toBe(1)
        break
      }
    })
    await echo.expectUnharmed()
  })

  test('bidi streaming, whose handlers read none of the updates', async () => {
    await using echo = await counted()
    await many(async () => {
      const call = echo.client.talk()
      await call.send('never read')
      expect(await call.receive()).toBe(1)
      void call.send('nor this')
      call.cancel()
    })
    await echo.expectUnharmed()
  })
})
