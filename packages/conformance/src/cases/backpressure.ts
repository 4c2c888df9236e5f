import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { endless, numbers, settled, signal, until } from '../wait.ts'

/** A sender never runs ahead of a reader that does not read by more than the window. */
export const backpressure: readonly ConformanceCase[] = [
  {
    name: 'a server that streams to a client that does not read stops at the window, and goes on when it reads',
    async run(bed) {
      let produced = 0
      bed.serve({
        async *produce() {
          for (const n of numbers(1_000_000_000)) {
            produced++
            yield n
          }
        },
      })
      const call = bed.client.produce(0)
      await call.started
      const before = await settled(() => produced)
      // One more waits at the window's door.
      expect(before).toBeLessThanOrEqual(bed.transport.capabilities.window + 1)
      for (const n of numbers(before)) expect(await call.receive()).toBe(n)
      await until(() => produced > before)
      expect(await settled(() => produced)).toBeLessThanOrEqual(before + bed.transport.capabilities.window + 1)
      call.cancel()
    },
  },
  {
    name: 'a client that sends to a handler that does not read stops at the window, and goes on when it reads',
    async run(bed) {
      const read = signal()
      let received = 0
      bed.serve({
        collect: async (_, updates) => {
          await read.promise
          for await (const n of updates) if (n === received) received++
          return received
        },
      })
      const total = bed.transport.capabilities.window * 4
      const call = bed.client.collect(0)
      let sent = 0
      const sending = (async () => {
        for (const n of numbers(total)) {
          await call.send(n)
          sent++
        }
      })()
      await until(() => sent > 0)
      expect(await settled(() => sent)).toBeLessThanOrEqual(bed.transport.capabilities.window)
      read.resolve()
      await sending
      expect(await call.finish()).toBe(total)
    },
  },
  {
    name: 'trySend says no when the window is full, and loses nothing',
    async run(bed) {
      const read = signal()
      bed.serve({
        collect: async (_, updates) => {
          await read.promise
          let count = 0
          for await (const n of updates) if (n === count) count++
          return count
        },
      })
      const call = bed.client.collect(0)
      await call.send(0)
      let accepted = 1
      for (let refused = 0; refused < 100; ) {
        if (call.trySend(accepted)) accepted++
        else {
          refused++
          await new Promise(setImmediate)
        }
        expect(accepted).toBeLessThanOrEqual(bed.transport.capabilities.window)
      }
      read.resolve()
      expect(await call.finish()).toBe(accepted)
    },
  },
  {
    name: 'one unread stream stalls no other (one unread stream must not stall others)',
    async run(bed) {
      bed.serve({
        produce: endless,
        call: async (n) => n,
        talk: async function* (_, updates) {
          yield* updates
        },
      })
      const unread = [...numbers(5)].map(() => bed.client.produce(0))
      await Promise.all(unread.map((call) => call.started))
      for (const n of numbers(100)) expect(await bed.client.call(n)).toBe(n)
      const talk = bed.client.talk(0)
      for (const n of numbers(100)) {
        await talk.send(n)
        expect(await talk.receive()).toBe(n)
      }
      talk.cancel()
      for (const call of unread) call.cancel()
    },
  },
  {
    name: 'an endless stream that is read without a pause lets timers have their turn',
    async run(bed) {
      bed.serve({ produce: () => numbers(Number.POSITIVE_INFINITY) })
      let fired = false
      const timer = setTimeout(() => {
        fired = true
      }, 5)
      for await (const _ of bed.client.produce(0)) if (fired) break
      clearTimeout(timer)
      expect(fired).toBe(true)
    },
  },
]
