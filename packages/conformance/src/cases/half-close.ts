import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { all, numbers, signal } from '../wait.ts'

/** Each half ends by itself, in any order. */
export const halfClose: readonly ConformanceCase[] = [
  {
    name: 'the client ends first, and yet receives a lot (close-write, yet receive a lot)',
    async run(bed) {
      bed.serve({
        async *talk(count, updates) {
          for await (const _ of updates) {
            // Read to the end before the first response.
          }
          yield* numbers(count)
        },
      })
      const call = bed.client.talk(5000)
      await call.send(1)
      call.end()
      expect((await all(call)).length).toBe(5000)
    },
  },
  {
    name: 'the client ends while the server is in the middle of its responses',
    async run(bed) {
      const ended = signal()
      bed.serve({
        async *talk(_, updates) {
          yield 1
          for await (const _ of updates) {
            // The end is what counts.
          }
          ended.resolve()
          yield 2
        },
      })
      const call = bed.client.talk(0)
      expect(await call.receive()).toBe(1)
      call.end()
      await ended.promise
      expect(await call.receive()).toBe(2)
      expect(await call.receive()).toBeUndefined()
      expect(call.ended).toBe(true)
    },
  },
  {
    name: 'the server ends first: the responses end, and further updates are dropped without an error',
    async run(bed) {
      bed.serve({
        async *talk() {
          yield 1
        },
      })
      const call = bed.client.talk(0)
      expect(await all(call)).toEqual([1])
      for (const n of numbers(1000)) await call.send(n)
      call.end()
    },
  },
  {
    name: 'the server answers a client stream early: the answer counts, the sender is not stuck (early response)',
    async run(bed) {
      bed.serve({
        collect: async (_, updates) => {
          for await (const n of updates) if (n === 2) return n
          return -1
        },
      })
      const call = bed.client.collect(0)
      for (const n of numbers(5000)) await call.send(n)
      expect(await call.finish()).toBe(2)
    },
  },
  {
    name: 'the server answers a client stream without reading: the sender is not stuck',
    async run(bed) {
      bed.serve({ collect: async () => 42 })
      const call = bed.client.collect(0)
      for (const n of numbers(5000)) await call.send(n)
      expect(await call.response).toBe(42)
      expect(await call.finish()).toBe(42)
    },
  },
  {
    name: 'an early answer closes the iterable that feeds the updates',
    async run(bed) {
      bed.serve({ collect: async () => 42 })
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
      expect(await bed.client.collect(0, updates())).toBe(42)
      await closed.promise
    },
  },
]
