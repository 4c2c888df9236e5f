/* oxlint-disable unicorn/no-thenable -- what users return may be one */
import { EventEmitter, on } from 'node:events'
import { RpcError } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed } from './support/bed.ts'
import { all, failure, turns } from './support/wait.ts'

describe('the iterable of a call is closed', () => {
  it('when the handler answers in the very turn of the call', async () => {
    const emitter = new EventEmitter()
    const { client } = bed({ handlers: { collect: () => 42 } })
    expect(await client.collect(0, on(emitter, 'x') as AsyncIterable<number>)).toBe(42)
    await turns()
    expect(emitter.listenerCount('x')).toBe(0)
  })

  it('when its own body ends the call: updates', async () => {
    let closed = false
    const controller = new AbortController()
    function* updates() {
      try {
        yield 1
        controller.abort()
        yield 2
      } finally {
        closed = true
      }
    }
    const { client } = bed()
    await failure(all(client.talk(1, updates(), { signal: controller.signal })))
    await turns()
    expect(closed).toBe(true)
  })

  it('when its own body ends the call: responses', async () => {
    let closed = false
    const controller = new AbortController()
    const { client } = bed({
      handlers: {
        *produce() {
          try {
            yield 1
            controller.abort()
            yield 2
          } finally {
            closed = true
          }
        },
      },
    })
    await failure(all(client.produce(1, { signal: controller.signal })))
    await turns()
    expect(closed).toBe(true)
  })

  it('when the caller leaves a stream that an interceptor made', async () => {
    const emitter = new EventEmitter()
    const { client } = bed({
      clientInterceptors: [async () => ({ responses: on(emitter, 'x') as AsyncIterable<unknown> })],
    })
    const call = client.produce(0)
    await turns()
    expect(emitter.listenerCount('x')).toBe(1)
    call.cancel()
    await turns()
    expect(emitter.listenerCount('x')).toBe(0)
  })

  it('when a server interceptor rewrote the updates and the handler stops early', async () => {
    let closed = false
    const { client } = bed({
      handlers: { collect: async (_, updates) => (await updates.receive()) ?? 0 },
      serverInterceptors: [
        (call, next) => {
          async function* rewritten() {
            try {
              for await (const update of call.updates ?? []) yield (update as number) * 10
            } finally {
              closed = true
            }
          }
          return next({ ...call, updates: rewritten() })
        },
      ],
    })
    const call = client.collect(0)
    await call.send(4)
    expect(await call.response).toBe(40)
    await turns()
    expect(closed).toBe(true)
  })
})

describe('what an interceptor started and did not hand on ends with the call', () => {
  it('responses that it drops', async () => {
    const { client, size } = bed({
      clientInterceptors: [
        async (call, next) => {
          await next(call)
          throw new RpcError('permission_denied')
        },
      ],
      handlers: {
        async *produce(_, { signal }) {
          yield 1
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
      },
    })
    expect((await failure(client.produce(0).started)).code).toBe('permission_denied')
    await turns()
    expect(size()).toBe(0)
  })

  it('the slower of two hedged calls', async () => {
    let running = 0
    const { client } = bed({
      clientInterceptors: [(call, next) => Promise.race([next(call), next(call)])],
      handlers: {
        call: (n, { signal }) =>
          ++running === 1 ? n : new Promise((resolve) => signal.addEventListener('abort', () => resolve(--running))),
      },
    })
    expect(await client.call(7)).toBe(7)
    await turns()
    expect(running).toBe(1)
  })
})

describe('a sender that nobody listens to', () => {
  it('knows it, and lets timers have their turn', async () => {
    const { client } = bed({ handlers: { collect: async () => 42 } })
    const call = client.collect(0)
    let fired = false
    const timer = setTimeout(() => {
      fired = true
    }, 5)
    while (!fired) await call.send(1)
    clearTimeout(timer)
    expect(call.stopped).toBe(true)
    expect(await call.finish()).toBe(42)
  })

  it('is told when the connection is gone', async () => {
    const { client, connector } = bed()
    const call = client.collect(0)
    await call.send(1)
    await connector.close()
    expect((await failure((async () => call.send(2))())).code).toBe('cancelled')
  })
})

it('a handler is not called for a call that was cancelled while an interceptor waited', async () => {
  let called = 0
  const controller = new AbortController()
  const { client } = bed({
    handlers: { call: () => ++called },
    serverInterceptors: [
      async (call, next) => {
        controller.abort()
        await turns()
        return next(call)
      },
    ],
  })
  await failure(client.call(1, { signal: controller.signal }))
  await turns(20)
  expect(called).toBe(0)
})

it('thenables of any kind are waited for', async () => {
  // biome-ignore lint/suspicious/noThenProperty: that is what makes it one.
  const thenable = (value: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve(value) })
  const { client } = bed({
    handlers: {
      call: () => thenable(5) as never,
      produce: () => {
        let n = 0
        return { [Symbol.asyncIterator]: () => ({ next: () => thenable({ value: n, done: n++ === 3 }) }) } as never
      },
    },
  })
  expect(await client.call(1)).toBe(5)
  expect(await all(client.produce(1))).toEqual([0, 1, 2])
})
