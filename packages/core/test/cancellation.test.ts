import { getEventListeners } from 'node:events'
import { RpcError } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, CALLS, hanging } from './support/bed.ts'
import { aborted, all, failure, gate, never, thrown, turns } from './support/wait.ts'

// The caller of a notify is gone once the request is handed over.
const WAITING = CALLS.filter(({ name }) => name !== 'notify')

describe('the signal of a call', () => {
  it.each(WAITING)('cancels it on both sides, its reason as the cause on this one: $name', async ({ run }) => {
    const hang = hanging()
    const { client, size } = bed({ handlers: hang.handlers })
    const abort = new AbortController()
    const cause = new Error('enough')
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort(cause)
    expect(await outcome).toMatchObject({ code: 'cancelled', cause })
    expect(hang.signals).toHaveLength(1)
    const reason = hang.signals[0]?.reason as RpcError
    expect(reason).toBeInstanceOf(RpcError)
    expect(reason.code).toBe('cancelled')
    expect(reason.cause).toBeUndefined()
    expect(size()).toBe(0)
  })

  it.each(CALLS)('that is aborted already fails it, and the handler is never called: $name', async ({ run }) => {
    const hang = hanging()
    const { client, opens } = bed({ handlers: hang.handlers })
    const error = await failure(run(client, { signal: AbortSignal.abort('before') }))
    expect(error).toMatchObject({ code: 'cancelled', cause: 'before' })
    await turns()
    expect(hang.signals).toEqual([])
    expect(opens).toEqual([])
  })

  it.each(['collect', 'talk'] as const)('that is aborted already leaves the updates alone: %s', async (method) => {
    let taken = 0
    const { client } = bed()
    const updates: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          taken++
          return { value: 1, done: false }
        },
      }),
    }
    const options = { signal: AbortSignal.abort() }
    await failure(method === 'collect' ? client.collect(1, updates, options) : all(client.talk(1, updates, options)))
    await turns()
    expect(taken).toBe(0)
  })

  it('gives its reason as it is where that is an RpcError', async () => {
    const { client } = bed({ handlers: { call: never } })
    const abort = new AbortController()
    const outcome = failure(client.call(1, { signal: abort.signal }))
    const reason = new RpcError('aborted', 'the outer call failed')
    abort.abort(reason)
    expect(await outcome).toBe(reason)
  })

  it.each(CALLS)('is let go when the call is over: $name', async ({ run }) => {
    const { client } = bed()
    const { signal } = new AbortController()
    await run(client, { signal })
    await turns()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is let go when the call fails', async () => {
    const { client } = bed({ handlers: { call: () => Promise.reject(new RpcError('aborted')) } })
    const { signal } = new AbortController()
    await failure(client.call(1, { signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('does nothing to a call that is over', async () => {
    const { client } = bed()
    const abort = new AbortController()
    const call = client.produce(2, { signal: abort.signal })
    await call.started
    await turns()
    abort.abort()
    expect(await all(call)).toEqual([0, 1])
  })
})

describe('leaving a loop', () => {
  it('cancels the call and does not throw; the generator runs its finally', async () => {
    const closed = gate()
    const signals: AbortSignal[] = []
    const { client, size } = bed({
      handlers: {
        async *produce(_, { signal }) {
          signals.push(signal)
          try {
            for (let n = 0; ; n++) yield n
          } finally {
            closed.resolve()
          }
        },
      },
    })
    const seen: number[] = []
    for await (const n of client.produce(0)) {
      seen.push(n)
      if (n === 2) break
    }
    expect(seen).toEqual([0, 1, 2])
    await closed.promise
    expect(signals[0]?.reason).toMatchObject({ code: 'cancelled' })
    expect(size()).toBe(0)
  })

  it('by a throw cancels the call and throws that', async () => {
    const hang = gate<unknown>()
    const { client } = bed({
      handlers: {
        async *talk(_, __, { signal }) {
          void aborted(signal).then((why) => hang.resolve(why))
          yield 1
          await never()
        },
      },
    })
    const bug = new RpcError('data_loss', 'mine')
    const error = await thrown(async () => {
      for await (const _ of client.talk(1)) throw bug
    })
    expect(error).toBe(bug)
    expect(await hang.promise).toMatchObject({ code: 'cancelled' })
  })

  it('ends the updates of the handler with an error, never as if they were whole', async () => {
    const outcome = gate<unknown>()
    const { client } = bed({
      handlers: {
        async *talk(_, updates) {
          yield 1
          try {
            for await (const _update of updates);
            outcome.resolve('whole')
          } catch (error) {
            outcome.resolve(error)
          }
        },
      },
    })
    for await (const _ of client.talk(1)) break
    expect(await outcome.promise).toMatchObject({ code: 'cancelled' })
  })

  it('closes the iterable of the updates', async () => {
    let closed = false
    const { client } = bed()
    async function* updates(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        closed = true
      }
    }
    for await (const _ of client.talk(1, updates())) break
    await turns()
    expect(closed).toBe(true)
  })

  it('after the last response is no cancel', async () => {
    const signals: AbortSignal[] = []
    const { client } = bed({
      handlers: {
        produce(count, { signal }) {
          signals.push(signal)
          return [count]
        },
      },
    })
    for await (const _ of client.produce(1));
    await turns()
    expect(signals[0]?.aborted).toBe(false)
  })
})

describe('cancel', () => {
  it('cancels with its reason as the cause, at all ends of the call', async () => {
    const hang = hanging()
    const { client, size } = bed({ handlers: hang.handlers })
    const call = client.talk(1)
    const received = call.receive()
    call.cancel('enough')
    expect(await failure(received)).toMatchObject({ code: 'cancelled', cause: 'enough' })
    expect((await thrown(() => call.send(1))).code).toBe('cancelled')
    expect((await thrown(() => call.receive())).code).toBe('cancelled')
    expect((await failure(all(call))).code).toBe('cancelled')
    expect(hang.signals[0]?.reason).toMatchObject({ code: 'cancelled' })
    expect(size()).toBe(0)
  })

  it('counts once: the first reason stays', async () => {
    const { client } = bed({ handlers: hanging().handlers })
    const call = client.collect(1)
    call.cancel('first')
    call.cancel('second')
    expect((await failure(call.finish())).cause).toBe('first')
    expect((await failure(call.response)).cause).toBe('first')
  })

  it('lets a send that waits go', async () => {
    const { client } = bed({ window: 1, handlers: { collect: never } })
    const call = client.collect(1)
    void call.send(1)
    const waiting = call.send(2)
    expect(waiting).toBeInstanceOf(Promise)
    call.cancel()
    expect((await failure(waiting)).code).toBe('cancelled')
  })

  it('does not touch the other calls', async () => {
    const { client } = bed()
    const one = client.talk(1)
    const two = client.talk(2)
    one.cancel()
    void two.send(1)
    two.end()
    expect(await all(two)).toEqual([2])
  })

  it('after the end is a no-op: a stream that was read to its end has not failed', async () => {
    const { client } = bed()
    const call = client.produce(1)
    expect(await all(call)).toEqual([0])
    call.cancel()
    expect(await call.receive()).toBeUndefined()
    expect(call.ended).toBe(true)
    expect(await call.started).toBeUndefined()
  })

  it('after the response is a no-op', async () => {
    const { client } = bed()
    const call = client.collect(1)
    expect(await call.finish()).toBe(1)
    call.cancel()
    expect(await call.response).toBe(1)
  })
})

describe('using', () => {
  it('cancels a call that is not over', async () => {
    const hang = hanging()
    const { client } = bed({ handlers: hang.handlers })
    {
      using call = client.collect(1)
      await call.send(1)
    }
    {
      using call = client.produce(1)
      void Promise.resolve(call.receive()).catch(() => {})
    }
    expect(hang.signals.map((signal) => signal.reason.code)).toEqual(['cancelled', 'cancelled'])
  })

  it('leaves a call alone that is over', async () => {
    const signals: AbortSignal[] = []
    const { client } = bed({
      handlers: {
        collect(n, _, { signal }) {
          signals.push(signal)
          return n
        },
      },
    })
    {
      using call = client.collect(1)
      expect(await call.finish()).toBe(1)
    }
    await turns()
    expect(signals[0]?.aborted).toBe(false)
  })
})

describe('the signal of a handler', () => {
  it('does not fire for a call that went well, even when the connection is lost later', async () => {
    const signals: AbortSignal[] = []
    const note = ({ signal }: { signal: AbortSignal }): void => {
      signals.push(signal)
    }
    const { client, connector } = bed({
      handlers: {
        call(n, context) {
          note(context)
          return n
        },
        async *produce(n, context) {
          note(context)
          yield n
        },
        tell: (_, context) => note(context),
      },
    })
    await client.call(1)
    await all(client.produce(1))
    await client.tell(1)
    await connector.close()
    await turns()
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false, false])
  })

  it('does not fire for a call that failed in the handler', async () => {
    const signals: AbortSignal[] = []
    const { client } = bed({
      handlers: {
        call(_, { signal }) {
          signals.push(signal)
          throw new RpcError('aborted')
        },
      },
    })
    await failure(client.call(1))
    await turns()
    expect(signals[0]?.aborted).toBe(false)
  })

  it.each(WAITING)('fires when the connection is lost: $name', async ({ run }) => {
    const hang = hanging()
    const { client, connector } = bed({ handlers: hang.handlers })
    const outcome = failure(run(client))
    await turns()
    await connector.close()
    await outcome
    expect(hang.signals[0]?.reason).toBeInstanceOf(RpcError)
  })

  it('has fired already for a handler that looks late', async () => {
    const looked = gate<AbortSignal>()
    const look = gate()
    const { client } = bed({
      handlers: {
        async call(_, context) {
          await look.promise
          looked.resolve(context.signal)
          return 1
        },
      },
    })
    const abort = new AbortController()
    const outcome = failure(client.call(1, { signal: abort.signal }))
    abort.abort()
    await outcome
    look.resolve()
    const signal = await looked.promise
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ code: 'cancelled' })
  })

  it('is one signal, however often it is asked for', async () => {
    const { client } = bed({ handlers: { call: (_, context) => new Set([context.signal, context.signal]).size } })
    expect(await client.call(0)).toBe(1)
  })
})
