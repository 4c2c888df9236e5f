import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { aborted, all, expectStatus, failure, numbers, settled, signal, until } from '../wait.ts'

const LIMIT = 4

/** What is beyond a limit waits in line. */
export const limits: readonly ConformanceCase[] = [
  {
    name: 'calls beyond maxConcurrentStreams wait and go on',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: LIMIT },
    async run(bed) {
      const release = signal()
      let running = 0
      let most = 0
      bed.serve({
        call: async (n) => {
          most = Math.max(most, ++running)
          await release.promise
          running--
          return n
        },
      })
      const calls = [...numbers(40)].map((n) => bed.client.call(n))
      await until(() => running >= LIMIT)
      expect(await settled(() => running)).toBe(LIMIT)
      release.resolve()
      expect(await Promise.all(calls)).toEqual([...numbers(40)])
      expect(most).toBe(LIMIT)
    },
  },
  {
    name: 'streams beyond it wait, too, whatever the pattern',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: LIMIT },
    async run(bed) {
      bed.serve({
        produce: (count) => numbers(count),
        collect: async (start, updates) => {
          let total = start
          for await (const n of updates) total += n
          return total
        },
        tell: async () => {},
      })
      const calls = [...numbers(30)].flatMap((n) => [
        bed.client.collect(n, [1, 2]),
        (async () => {
          let count = 0
          for await (const _ of bed.client.produce(n)) count++
          return count
        })(),
        bed.client.tell(n),
      ])
      expect(await Promise.all(calls)).toEqual([...numbers(30)].flatMap((n) => [n + 3, n, undefined]))
    },
  },
  {
    name: 'a waiting open can be aborted, fails by its deadline, and leaves its place to the next',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      const release = signal()
      const called: number[] = []
      bed.serve({
        call: async (n) => {
          called.push(n)
          await release.promise
          return n
        },
      })
      const first = bed.client.call(1)
      const controller = new AbortController()
      const second = failure(bed.client.call(2, { signal: controller.signal }))
      const third = failure(bed.client.call(3, { timeout: 10 }))
      const fourth = bed.client.call(4)
      controller.abort()
      expectStatus(await second, 'cancelled')
      expectStatus(await third, 'deadline_exceeded')
      release.resolve()
      expect(await first).toBe(1)
      expect(await fourth).toBe(4)
      expect(called).toEqual([1, 4])
    },
  },
  {
    name: 'a call that was cancelled frees its place, also when its handler goes on',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      bed.serve({
        call: async (n) => n,
        async *produce(_, context) {
          yield 1
          await aborted(context.signal)
        },
      })
      for (const n of numbers(20)) {
        const call = bed.client.produce(0)
        await call.receive()
        const next = bed.client.call(n)
        call.cancel()
        expect(await next).toBe(n)
      }
    },
  },
  {
    name: 'a waiting open of any pattern can be aborted, and its place goes to the next',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      const release = signal()
      bed.serve({
        call: async (n) => {
          await release.promise
          return n
        },
      })
      const first = bed.client.call(1)
      const controller = new AbortController()
      const options = { signal: controller.signal }
      const waiting = [
        all(bed.client.produce(1, options)),
        bed.client.collect(1, [1], options),
        all(bed.client.talk(1, [1], options)),
        bed.client.tell(1, options),
      ].map((outcome) => failure(outcome))
      const last = bed.client.call(2)
      controller.abort()
      for (const error of await Promise.all(waiting)) expectStatus(error, 'cancelled')
      release.resolve()
      expect(await Promise.all([first, last])).toEqual([1, 2])
    },
  },
  {
    name: 'waiting opens settle when the connector or the listener closes',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      const server = bed.serve({ call: () => new Promise<number>(() => {}) })
      const running = failure(bed.client.call(1))
      const waiting = [bed.client.call(2), all(bed.client.produce(1)), bed.client.tell(1)].map((call) => failure(call))
      await server.close({ graceMs: 0 })
      for (const error of await Promise.all([running, ...waiting])) expectStatus(error, 'unavailable')
    },
  },
  {
    name: 'however a call ends, it frees its place',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      bed.serve({
        call: async (n, context) => {
          if (n < 0) throw new Error('thrown by the handler')
          if (n === 0) await aborted(context.signal)
          return n
        },
        collect: async () => 7,
        tell: () => {},
      })
      expectStatus(await failure(bed.client.call(-1)), 'internal')
      expectStatus(await failure(bed.client.call(0, { timeout: 10 })), 'deadline_exceeded')
      const early = bed.client.collect(0)
      expect(await early.response).toBe(7)
      await bed.client.tell(1)
      expectStatus(await failure(bed.client.checked(-1)), 'invalid_argument')
      expectStatus(await failure(bed.client.nothing()), 'unimplemented')
      expect(await bed.client.call(5)).toBe(5)
    },
  },
  {
    name: 'a channel whose reader never comes frees its place once both halves have ended',
    needs: 'maxConcurrentStreams',
    setup: { maxConcurrentStreams: 1 },
    async run(bed) {
      bed.serve({ produce: (count) => numbers(count), call: async (n) => n })
      const unread = bed.client.produce(2)
      await unread.started
      expect(await bed.client.call(1)).toBe(1)
      expect(await unread.receive()).toBe(0)
    },
  },
]
