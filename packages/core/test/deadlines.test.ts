import { type CallOptions, createChannelPair, createRouter } from '@qrpc/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bed, CALLS, hanging, Kit } from './support/bed.ts'
import { all, failure, never, turns } from './support/wait.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

// setImmediate stays real: the tests wait with it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

// The caller of a notify is gone once the request is handed over.
const WAITING = CALLS.filter(({ name }) => name !== 'notify')

describe('a timeout', () => {
  it.each(WAITING)('fails the call with deadline_exceeded on both sides, on time: $name', async ({ run }) => {
    const hang = hanging()
    const { client, size } = bed({ handlers: hang.handlers })
    const outcome = failure(run(client, { timeout: 1_000 }))
    await turns()
    await vi.advanceTimersByTimeAsync(999)
    expect(hang.signals[0]?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect((await outcome).code).toBe('deadline_exceeded')
    expect(hang.signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' })
    expect(size()).toBe(0)
  })

  it.each(WAITING)('fails the call on time though the server never says a word: $name', async ({ run }) => {
    // A channel whose far end nobody reads.
    const { client } = bed({ open: () => createChannelPair()[0] })
    const outcome = failure(run(client, { timeout: 1_000 }))
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await outcome).code).toBe('deadline_exceeded')
  })

  it.each(CALLS)('that is met leaves nothing behind: $name', async ({ run, result }) => {
    const { client } = bed()
    expect(await run(client, { timeout: 1_000, deadline: Date.now() + 1_000 })).toEqual(result)
    await turns()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not take back what the server has sent whole', async () => {
    const { client } = bed()
    const call = client.produce(3, { timeout: 1_000 })
    await call.started
    await turns()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await all(call)).toEqual([0, 1, 2])
  })

  it('cuts a stream off halfway', async () => {
    const { client } = bed({
      handlers: {
        async *produce() {
          yield 1
          await never()
        },
      },
    })
    const call = client.produce(0, { timeout: 1_000 })
    expect(await call.receive()).toBe(1)
    const next = failure(call.receive())
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await next).code).toBe('deadline_exceeded')
  })

  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1_000, 2 ** 33])(
    'of %i ms passes after that time, not before',
    async (timeout) => {
      const hang = hanging()
      const { client } = bed({ handlers: hang.handlers })
      let settled = false
      const outcome = failure(client.call(1, { timeout })).then((error) => {
        settled = true
        return error
      })
      await turns()
      for (let left = timeout - 1; left > 0; left -= LONGEST_TIMER_MS) {
        await vi.advanceTimersByTimeAsync(Math.min(left, LONGEST_TIMER_MS))
      }
      expect(settled).toBe(false)
      expect(hang.signals[0]?.aborted).toBe(false)
      await vi.advanceTimersByTimeAsync(2)
      expect((await outcome).code).toBe('deadline_exceeded')
      expect(hang.signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' })
    },
  )

  it.each<[string, CallOptions]>([
    ['an infinite timeout', { timeout: Number.POSITIVE_INFINITY }],
    ['an infinite deadline', { deadline: Number.POSITIVE_INFINITY }],
    ['none', { timeout: undefined, deadline: undefined }],
  ])('is no bound: %s', async (_, options) => {
    const { client } = bed({ handlers: { call: (_n, { deadline }) => (deadline === undefined ? 1 : 0) } })
    const timers = vi.getTimerCount()
    expect(await client.call(1, options)).toBe(1)
    expect(vi.getTimerCount()).toBe(timers)
  })

  const senseless: [string, CallOptions][] = [
    ['timeout NaN', { timeout: Number.NaN }],
    ['timeout -1', { timeout: -1 }],
    ['timeout -Infinity', { timeout: Number.NEGATIVE_INFINITY }],
    ['deadline NaN', { deadline: Number.NaN }],
    ['deadline Invalid Date', { deadline: new Date('never') }],
  ]
  it.each(senseless.flatMap(([what, options]) => CALLS.map((call) => ({ what, options, ...call }))))(
    'that is no time is refused, and nothing is opened: $what, $name',
    async ({ run, options }) => {
      const { client, opens } = bed()
      const error = await failure((async () => run(client, options))())
      expect(error.code).toBe('invalid_argument')
      expect(error.message).toMatch(/timeout|deadline/)
      expect(opens).toEqual([])
    },
  )

  const past: [string, CallOptions][] = [
    ['timeout 0', { timeout: 0 }],
    ['deadline now', { deadline: 1_000_000 }],
    ['deadline in the past', { deadline: new Date(0) }],
    ['deadline -Infinity', { deadline: Number.NEGATIVE_INFINITY }],
  ]
  it.each(past.flatMap(([what, options]) => CALLS.map((call) => ({ what, options, ...call }))))(
    'that has passed fails the call, and the handler is never called: $what, $name',
    async ({ run, options }) => {
      const hang = hanging()
      const { client, opens } = bed({ handlers: hang.handlers })
      expect((await failure(run(client, options))).code).toBe('deadline_exceeded')
      await turns()
      expect(hang.signals).toEqual([])
      expect(opens).toEqual([])
    },
  )

  it.each<[string, CallOptions]>([
    ['the timeout', { timeout: 1_000, deadline: 1_000_000 + 5_000 }],
    ['the deadline', { timeout: 5_000, deadline: new Date(1_000_000 + 1_000) }],
  ])('counts where it is the earlier: %s', async (_, options) => {
    const { client } = bed({ handlers: { call: never } })
    const outcome = failure(client.call(1, options))
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await outcome).code).toBe('deadline_exceeded')
  })
})

describe('the deadline in the handler', () => {
  it.each(CALLS)('is the time at which the call must be over: $name', async ({ run }) => {
    const seen: unknown[] = []
    const { client } = bed({
      serverInterceptors: [
        (call, next) => {
          seen.push(call.deadline)
          return next(call)
        },
      ],
    })
    await run(client, { timeout: 2_500 })
    await run(client)
    expect(seen).toEqual([1_002_500, undefined])
  })

  it('is what is left when the request leaves, not when the call began', async () => {
    const seen: unknown[] = []
    const { client } = bed({
      open: (pair) => new Promise((resolve) => setTimeout(() => resolve(pair()), 400)),
      handlers: { call: (_, { deadline }) => seen.push(deadline) },
    })
    const outcome = client.call(1, { timeout: 1_000 })
    await vi.advanceTimersByTimeAsync(400)
    await outcome
    expect(seen).toEqual([1_001_000])
  })

  it('is kept by the server though the client does not: a peer that lets its call run on is cut off', async () => {
    const hang = hanging()
    const { connector } = bed({ handlers: hang.handlers })
    const channel = await connector.open()
    void channel.send({ method: 'kit/call', metadata: undefined, timeout: 100, message: 1 }, true)
    const outcome = failure(channel.receiveOnly())
    await vi.advanceTimersByTimeAsync(100)
    expect((await outcome).code).toBe('deadline_exceeded')
    expect(hang.signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' })
  })

  it('is stopped with the answer: the signal does not fire for a call that went well', async () => {
    const signals: AbortSignal[] = []
    const { client } = bed({
      handlers: {
        call(n, { signal }) {
          signals.push(signal)
          return n
        },
      },
    })
    await client.call(1, { timeout: 100 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(signals[0]?.aborted).toBe(false)
  })
})

describe('the time for the request', () => {
  const handlers = {
    call: (n: number) => n,
    collect: () => 0,
    produce: () => [],
    talk: () => [],
    tell() {},
    inner: { echo: (text: string) => text },
  }

  it('is 10 s by default; then the channel is cut off and onError is told', async () => {
    const errors: unknown[] = []
    const [client, server] = createChannelPair()
    createRouter(Kit, handlers, { onError: (error, { method }) => errors.push({ error, method }) }).handle(server)
    const outcome = failure(client.receiveOnly())
    await vi.advanceTimersByTimeAsync(9_999)
    expect(errors).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect((await outcome).code).toBe('deadline_exceeded')
    expect(errors).toMatchObject([{ error: { code: 'deadline_exceeded' }, method: undefined }])
  })

  it('can be set', async () => {
    const [client, server] = createChannelPair()
    createRouter(Kit, handlers, { requestTimeout: 50, onError() {} }).handle(server)
    const outcome = failure(client.receiveOnly())
    await vi.advanceTimersByTimeAsync(50)
    expect((await outcome).message).toContain('50 ms')
  })

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])('may be as long as %d ms', async (requestTimeout) => {
    const [client, server] = createChannelPair()
    createRouter(Kit, handlers, { requestTimeout, onError() {} }).handle(server)
    await vi.advanceTimersByTimeAsync(1_000_000)
    void client.send({ method: 'kit/call', metadata: undefined, timeout: undefined, message: 3 }, true)
    expect(await client.receiveOnly()).toBe(3)
  })

  it('is over once the request is there', async () => {
    const [client, server] = createChannelPair()
    createRouter(Kit, handlers).handle(server)
    void client.send({ method: 'kit/call', metadata: undefined, timeout: undefined, message: 3 }, true)
    expect(await client.receiveOnly()).toBe(3)
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('a request that arrives with no time left is answered with deadline_exceeded, and its handler is not called', async () => {
  let called = 0
  const { connector } = bed({ handlers: { call: () => ++called } })
  const channel = await connector.open()
  await channel.send({ method: 'kit/call', metadata: undefined, timeout: 0, message: 1 }, true)
  expect((await failure(channel.receiveOnly())).code).toBe('deadline_exceeded')
  expect(called).toBe(0)
})
