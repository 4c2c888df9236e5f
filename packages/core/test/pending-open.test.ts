import { type CallOptions, type Channel, RpcError } from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { bed, CALLS, hanging } from './support/bed.ts'
import { aborted, all, failure, gate, never, thrown, turns, unhandled } from './support/wait.ts'

/** A bed whose connector opens when the test says so. */
function pendingBed(options: Parameters<typeof bed>[0] = {}) {
  const connected = gate()
  const opened: Channel[] = []
  return {
    ...bed({
      ...options,
      async open(pair) {
        await connected.promise
        const channel = pair()
        opened.push(channel)
        return channel
      },
    }),
    connected,
    opened,
  }
}

const refused = new RpcError('unavailable', 'connection refused')

describe('a call while the connector connects', () => {
  it.each(CALLS)('goes on as if nothing had been, once it is there: $name', async ({ run, result }) => {
    const { client, connected, size } = pendingBed()
    const outcome = run(client)
    await turns()
    connected.resolve()
    expect(await outcome).toEqual(result)
    await turns()
    expect(size()).toBe(0)
  })

  it.each(CALLS)('fails with what the open fails with: $name', async ({ run }) => {
    const { client, connected } = pendingBed()
    const outcome = failure(run(client))
    connected.reject(refused)
    expect(await outcome).toBe(refused)
  })

  it.each(CALLS)('fails with unavailable where the open fails with something else: $name', async ({ run }) => {
    const cause = new Error('ECONNREFUSED')
    const { client, connected } = pendingBed()
    const outcome = failure(run(client))
    connected.reject(cause)
    expect(await outcome).toMatchObject({ code: 'unavailable', message: 'ECONNREFUSED', cause })
  })

  it.each(CALLS)('is aborted by its signal at once, the open too: $name', async ({ run }) => {
    const { client, opens } = pendingBed()
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    const openSignal = opens[0]?.signal as AbortSignal
    expect(openSignal.aborted).toBe(false)
    abort.abort('enough')
    expect(await outcome).toMatchObject({ code: 'cancelled', cause: 'enough' })
    expect(openSignal.aborted).toBe(true)
    expect(openSignal.reason).toMatchObject({ code: 'cancelled' })
  })

  it.each(CALLS)('meets its deadline: $name', async ({ run }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
    try {
      const { client, opens } = pendingBed()
      const outcome = failure(run(client, { timeout: 1_000 }))
      await turns()
      const openSignal = opens[0]?.signal as AbortSignal
      await vi.advanceTimersByTimeAsync(999)
      expect(openSignal.aborted).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect((await outcome).code).toBe('deadline_exceeded')
      expect(openSignal.aborted).toBe(true)
    } finally {
      vi.useRealTimers()
    }
  })

  it.each(CALLS)('that was cut short sends nothing on a channel that opens after all: $name', async ({ run }) => {
    const hang = hanging()
    const { client, connected, opened, size, errors } = pendingBed({ handlers: hang.handlers })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort()
    await outcome
    connected.resolve()
    await turns()
    expect(opened).toHaveLength(1)
    expect(size()).toBe(0)
    expect(hang.signals).toEqual([])
    expect(errors).toEqual([])
  })

  it('sends what was sent meanwhile in order, before what is sent later', async () => {
    const { client, connected } = pendingBed({
      handlers: {
        async collect(first, updates) {
          return Number([first, ...(await all(updates))].join(''))
        },
      },
    })
    const call = client.collect(1)
    const sent = [call.send(2), call.send(3)]
    expect(sent[0]).toBeInstanceOf(Promise)
    const response = call.finish()
    connected.resolve()
    for (const room of sent) await room
    expect(await response).toBe(123)
  })

  it('has no room for trySend until the channel is there', async () => {
    const { client, connected } = pendingBed()
    const call = client.collect(1)
    expect(call.trySend(2)).toBe(false)
    connected.resolve()
    await turns()
    expect(call.trySend(2)).toBe(true)
    expect(await call.finish()).toBe(3)
  })

  it('does not know its peer until the channel is there', async () => {
    const { client, connected } = pendingBed()
    const call = client.produce(1)
    expect(call.peer).toEqual({ transport: '', address: '' })
    expect(call.ended).toBe(false)
    connected.resolve()
    await call.started
    expect(call.peer.transport).toBe('test')
    expect(await all(call)).toEqual([0])
    await call.receive()
    expect(call.ended).toBe(true)
  })

  it('can be waited for by all the ways of a stream', async () => {
    const { client, connected } = pendingBed()
    const call = client.produce(3)
    const started = call.started
    const first = call.receive()
    connected.resolve()
    await started
    expect(await first).toBe(0)
    expect(await all(call)).toEqual([1, 2])
  })

  it('refuses a second reader', async () => {
    const { client, connected } = pendingBed()
    const call = client.talk(1)
    const first = call.receive()
    const second = call.receive()
    connected.resolve()
    expect((await failure(second)).code).toBe('failed_precondition')
    void call.send(5)
    expect(await first).toBe(5)
    call.cancel()
  })

  it('refuses to send after end: failed_precondition', async () => {
    const { client } = pendingBed()
    const call = client.talk(1)
    call.end()
    expect((await thrown(() => call.send(1))).code).toBe('failed_precondition')
    const sum = client.collect(1)
    void sum.finish().catch(() => {})
    expect((await failure(sum.finish())).code).toBe('failed_precondition')
  })

  it('is cancelled by cancel, with the reason as cause, at all its ends', async () => {
    const { client } = pendingBed()
    const call = client.talk(1)
    const sent = call.send(1)
    const received = call.receive()
    const { started } = call
    call.cancel('enough')
    for (const end of [sent, received, started]) {
      expect(await failure(end)).toMatchObject({ code: 'cancelled', cause: 'enough' })
    }
    expect((await thrown(() => call.send(2))).code).toBe('cancelled')
    expect((await thrown(() => call.trySend(2))).code).toBe('cancelled')
    expect((await thrown(() => call.receive())).code).toBe('cancelled')
    expect((await failure(call.started)).code).toBe('cancelled')
  })

  it('is cancelled by leaving a loop once it got its first response', async () => {
    const reason = gate<unknown>()
    const { client, connected } = pendingBed({
      handlers: {
        async *produce(_, { signal }) {
          void aborted(signal).then((why) => reason.resolve(why))
          for (let n = 0; ; n++) yield n
        },
      },
    })
    connected.resolve()
    for await (const _ of client.produce(0)) break
    expect(await reason.promise).toMatchObject({ code: 'cancelled' })
  })

  it.each<[string, CallOptions | undefined]>([
    ['options', { timeout: 60_000 }],
    ['no options', undefined],
  ])('fails with internal where the request cannot be sent: %s', async (_, options) => {
    const cause = new TypeError('cannot be cloned')
    const { client, size } = bed({
      async open(pair) {
        const channel = pair()
        channel.send = () => {
          throw cause
        }
        return channel
      },
    })
    expect((await failure(client.call(1, options))).code).toBe('internal')
    expect(size()).toBe(0)
  })

  it('tells the server of a cancel that comes in the very turn in which its request is sent', async () => {
    const abort = new AbortController()
    const reason = gate<unknown>()
    const { client, connected, size } = pendingBed({
      handlers: {
        call(_, { signal }) {
          void aborted(signal).then((why) => reason.resolve(why))
          // Over a transport in one process the handler runs while the client is still sending.
          abort.abort()
          return never()
        },
      },
    })
    const outcome = failure(client.call(1, { signal: abort.signal }))
    connected.resolve()
    expect((await outcome).code).toBe('cancelled')
    await turns()
    expect(size()).toBe(0)
    expect(await reason.promise).toMatchObject({ code: 'cancelled' })
  })

  it.each(['collect', 'talk'] as const)('lets go of its updates when the open fails: %s', async (method) => {
    let closed = false
    const { client, connected } = pendingBed()
    const updates: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: never,
        async return() {
          closed = true
          return { value: undefined, done: true }
        },
      }),
    }
    const outcome = method === 'collect' ? client.collect(1, updates) : all(client.talk(1, updates))
    connected.reject(refused)
    expect(await failure(outcome)).toBe(refused)
    expect(closed).toBe(true)
  })

  it('fails, and does not hang, where the open fails with what cannot be turned into a string', async () => {
    const { client, connected } = pendingBed()
    const found = await unhandled(async () => {
      const call = client.call(1)
      const outcome = Promise.race([failure(call), turns(5).then(() => 'hangs' as const)])
      connected.reject(Object.create(null))
      expect(await outcome).toMatchObject({ code: 'unavailable' })
    })
    expect(found).toEqual([])
  })
})
