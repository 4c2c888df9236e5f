import { getEventListeners } from 'node:events'
import { type CallOptions, RpcError } from '@qrpc/core'
import { expect } from 'vitest'
import type { CaseBed } from '../bed.ts'
import type { ConformanceCase } from '../case.ts'
import { aborted, all, expectStatus, failure, filled, numbers, settled, signal, thrown, until } from '../wait.ts'

/** What a handler saw of a cancel. */
interface Seen {
  readonly reason: unknown
  readonly updates?: unknown
}

/** A cancel from either side, at any time, reaches the other, once, and frees everything. */
export const cancellation: readonly ConformanceCase[] = [
  {
    name: 'before the open: an aborted signal sends nothing at all (abort before dial)',
    async run(bed) {
      let called = 0
      bed.serve({
        call: async () => ++called,
        produce: () => [++called],
        collect: async () => ++called,
        tell: () => void called++,
      })
      const options: CallOptions = { signal: AbortSignal.abort('no') }
      expectStatus(await failure(bed.client.call(1, options)), 'cancelled')
      expect((await failure(bed.client.call(1, options))).cause).toBe('no')
      expectStatus(await failure(bed.client.tell(1, options)), 'cancelled')
      expectStatus(await failure(all(bed.client.produce(1, options))), 'cancelled')
      expectStatus(await failure(bed.client.collect(1, [1], options)), 'cancelled')
      expectStatus(await failure(bed.client.collect(1, options).finish()), 'cancelled')
      await settled(() => called)
      expect(called).toBe(0)
    },
  },
  {
    name: 'unary, by signal: the handler learns of it with the reason, the caller has the signal’s as cause (cancel_after_begin)',
    async run(bed) {
      const started = signal()
      const seen = signal<Seen>()
      bed.serve({
        call: async (_, context) => {
          started.resolve()
          seen.resolve({ reason: await aborted(context.signal) })
          return 0
        },
      })
      const controller = new AbortController()
      const outcome = failure(bed.client.call(1, { signal: controller.signal }))
      await started.promise
      controller.abort('enough')
      const error = await outcome
      expectStatus(error, 'cancelled')
      expect(error.cause).toBe('enough')
      expectCancelled((await seen.promise).reason)
    },
  },
  {
    name: 'client streaming, before the updates end: the handler’s updates throw, so that half a stream is never taken for a whole',
    async run(bed) {
      const { seen, started } = serveCollect(bed)
      const call = bed.client.collect(0)
      await call.send(1)
      await started.promise
      call.cancel('changed my mind')
      const error = await failure(call.response)
      expectStatus(error, 'cancelled')
      expect(error.cause).toBe('changed my mind')
      const { reason, updates } = await seen.promise
      expectCancelled(reason)
      expectCancelled(updates)
      expectStatus(await thrown(() => call.send(2)), 'cancelled')
    },
  },
  {
    name: 'client streaming, after the updates ended: the handler learns of it',
    async run(bed) {
      const started = signal()
      const seen = signal<Seen>()
      bed.serve({
        collect: async (_, updates, context) => {
          for await (const _ of updates) {
            // To the end.
          }
          started.resolve()
          seen.resolve({ reason: await aborted(context.signal) })
          return 0
        },
      })
      const call = bed.client.collect(0)
      const outcome = failure(call.finish())
      await started.promise
      call.cancel()
      expectStatus(await outcome, 'cancelled')
      expectCancelled((await seen.promise).reason)
    },
  },
  {
    name: 'client streaming: updates that throw cancel the call, with what they threw as cause',
    async run(bed) {
      const { started, seen } = serveCollect(bed)
      const mine = new Error('mine')
      async function* updates() {
        yield 1
        await started.promise
        throw mine
      }
      const error = await failure(bed.client.collect(0, updates()))
      expectStatus(error, 'cancelled')
      expect(error.cause).toBe(mine)
      expectCancelled((await seen.promise).reason)
    },
  },
  ...afterResponses([0, 1, 3]),
  {
    name: 'server streaming, by leaving the loop: the generator’s finally runs, the loop does not throw',
    async run(bed) {
      const finished = signal<unknown>()
      bed.serve({
        async *produce(_, context) {
          try {
            for (let n = 0; ; n++) yield n
          } finally {
            finished.resolve(context.signal.reason)
          }
        },
      })
      for await (const n of bed.client.produce(0)) if (n === 2) break
      expectCancelled(await finished.promise)
    },
  },
  {
    name: 'server streaming, by `using`',
    async run(bed) {
      const finished = signal()
      bed.serve({
        async *produce(_, context) {
          try {
            yield 1
            await aborted(context.signal)
          } finally {
            finished.resolve()
          }
        },
      })
      {
        using call = bed.client.produce(0)
        expect(await call.receive()).toBe(1)
      }
      await finished.promise
    },
  },
  {
    name: 'server streaming, while the sender waits for room: it wakes and its finally runs',
    async run(bed) {
      const finished = signal()
      let produced = 0
      bed.serve({
        async *produce() {
          try {
            for (; ; produced++) yield produced
          } finally {
            finished.resolve()
          }
        },
      })
      const call = bed.client.produce(0)
      await call.started
      await settled(() => produced)
      call.cancel()
      await finished.promise
      expectStatus(await thrown(() => call.receive()), 'cancelled')
    },
  },
  {
    name: 'after the last message: a cancel changes nothing',
    async run(bed) {
      let fired = false
      bed.serve({
        call: async (n, context) => {
          context.signal.addEventListener('abort', () => {
            fired = true
          })
          return n
        },
        async *produce(count, context) {
          context.signal.addEventListener('abort', () => {
            fired = true
          })
          yield* numbers(count)
        },
      })
      const controller = new AbortController()
      expect(await bed.client.call(1, { signal: controller.signal })).toBe(1)
      const call = bed.client.produce(3, { signal: controller.signal })
      expect(await all(call)).toEqual([0, 1, 2])
      controller.abort()
      call.cancel()
      await settled(() => Number(fired))
      expect(fired).toBe(false)
    },
  },
  {
    name: 'bidi, while both sides wait for each other: both learn of it',
    async run(bed) {
      const { seen, waiting } = serveTalk(bed, 0)
      const call = bed.client.talk(0)
      await waiting.promise
      const receiving = failure(call.receive())
      call.cancel()
      expectStatus(await receiving, 'cancelled')
      const { reason, updates } = await seen.promise
      expectCancelled(reason)
      expectCancelled(updates)
    },
  },
  {
    name: 'bidi, while the client waits for room: its send is rejected, and the handler that reads nothing learns of it',
    async run(bed) {
      const seen = signal()
      bed.serve({
        async *talk(_, __, context) {
          yield 1
          await aborted(context.signal)
          seen.resolve()
        },
      })
      const call = bed.client.talk(0)
      await call.started
      const { sending } = await filled(() => call.send(1))
      call.cancel()
      expectStatus(await failure(sending), 'cancelled')
      await seen.promise
    },
  },
  {
    name: 'the server’s handler gives up: what it throws ends the call, and the client’s updates stop',
    async run(bed) {
      bed.serve({
        async *talk(_, updates) {
          for await (const n of updates) {
            if (n === 3) throw new RpcError('aborted', 'enough')
            yield n
          }
        },
      })
      const closed = signal()
      async function* updates() {
        try {
          for (let n = 0; ; n++) {
            await new Promise(setImmediate)
            yield n
          }
        } finally {
          closed.resolve()
        }
      }
      expectStatus(await failure(all(bed.client.talk(0, updates()))), 'aborted', 'enough')
      await closed.promise
    },
  },
  {
    name: 'one signal for many calls: all are cancelled, with one listener on the signal while they run',
    async run(bed) {
      let running = 0
      bed.serve({
        call: async (_, context) => {
          running++
          await aborted(context.signal)
          running--
          return 0
        },
      })
      const controller = new AbortController()
      const calls = [...numbers(50)].map((n) => failure(bed.client.call(n, { signal: controller.signal })))
      await until(() => running === 50)
      expect(getEventListeners(controller.signal, 'abort').length).toBe(1)
      controller.abort()
      for (const error of await Promise.all(calls)) expectStatus(error, 'cancelled')
      await until(() => running === 0)
    },
  },
  {
    name: 'a call that is over has let go of its signal',
    async run(bed) {
      bed.serve({ call: async (n) => n, produce: (count) => numbers(count) })
      const { signal: shared } = new AbortController()
      await bed.client.call(1, { signal: shared })
      await all(bed.client.produce(3, { signal: shared }))
      await until(() => getEventListeners(shared, 'abort').length === 0)
    },
  },
  {
    name: '2,000 cancelled calls in a row leave the connection as it was',
    async run(bed) {
      let running = 0
      bed.serve({
        call: async (n) => n,
        async *produce(_, context) {
          running++
          try {
            yield 1
            await aborted(context.signal)
          } finally {
            running--
          }
        },
      })
      const row = async (): Promise<void> => {
        for (const _ of numbers(500)) {
          using call = bed.client.produce(0)
          await call.receive()
        }
      }
      // Four rows, so that it does not take forever over a network with latency.
      await Promise.all([row(), row(), row(), row()])
      await until(() => running === 0)
      expect(await bed.client.call(1)).toBe(1)
    },
  },
]

function expectCancelled(reason: unknown): void {
  expect(reason).toBeInstanceOf(RpcError)
  expect((reason as RpcError).code).toBe('cancelled')
}

/** Client, full duplex: a cancel after so many responses, in each of the ways there are. */
function afterResponses(counts: readonly number[]): ConformanceCase[] {
  return counts.flatMap((count) => [
    {
      name: `server streaming, by cancel(), after ${count} responses (cancel_after_first_response)`,
      async run(bed: CaseBed) {
        const { seen, started } = serveProduce(bed, count)
        const call = bed.client.produce(0)
        for (const n of numbers(count)) expect(await call.receive()).toBe(n)
        await started.promise
        const next = failure(call.receive())
        call.cancel()
        expectStatus(await next, 'cancelled')
        expectCancelled((await seen.promise).reason)
      },
    },
    {
      name: `bidi, by signal, after ${count} responses`,
      async run(bed: CaseBed) {
        const { seen, waiting } = serveTalk(bed, count)
        const controller = new AbortController()
        const call = bed.client.talk(0, { signal: controller.signal })
        for (const n of numbers(count)) {
          await call.send(n)
          expect(await call.receive()).toBe(n)
        }
        await waiting.promise
        const next = failure(call.receive())
        controller.abort()
        expectStatus(await next, 'cancelled')
        expectCancelled((await seen.promise).updates)
      },
    },
  ])
}

function serveCollect(bed: CaseBed) {
  const started = signal()
  const seen = signal<Seen>()
  bed.serve({
    collect: async (_, updates, context) => {
      started.resolve()
      let thrownByUpdates: unknown
      try {
        for await (const _ of updates) {
          // Until it throws.
        }
      } catch (error) {
        thrownByUpdates = error
      }
      seen.resolve({ reason: await aborted(context.signal), updates: thrownByUpdates })
      return 0
    },
  })
  return { started, seen }
}

function serveProduce(bed: CaseBed, count: number) {
  const started = signal()
  const seen = signal<Seen>()
  bed.serve({
    async *produce(_, context) {
      yield* numbers(count)
      started.resolve()
      seen.resolve({ reason: await aborted(context.signal) })
    },
  })
  return { started, seen }
}

/** `waiting`: the handler waits for an update after so many. One that is cancelled at its `yield` would see no update throw. */
function serveTalk(bed: CaseBed, count: number) {
  const waiting = signal()
  const seen = signal<Seen>()
  bed.serve({
    async *talk(_, updates, context) {
      let answered = 0
      if (count === 0) waiting.resolve()
      try {
        for await (const n of updates) {
          yield n
          if (++answered === count) waiting.resolve()
        }
      } catch (error) {
        seen.resolve({ reason: context.signal.reason, updates: error })
      }
    },
  })
  return { waiting, seen }
}
