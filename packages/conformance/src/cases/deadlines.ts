import type { RpcError } from '@qrpc/core'
import { expect } from 'vitest'
import type { CaseBed } from '../bed.ts'
import type { ConformanceCase } from '../case.ts'
import { aborted, all, expectStatus, failure, signal, until } from '../wait.ts'

const SHORT_MS = 20
// Within it a request reaches its handler over a connection that is there, also on a busy machine with processes and a
// relay between them.
const REACH_MS = 300

/** Has the connection made, so that the time of a call is not spent on that. */
async function connected(bed: CaseBed): Promise<void> {
  expectStatus(await failure(bed.client.nothing()), 'unimplemented')
}

/** A deadline ends a call on both sides, even when the other side is silent. */
export const deadlines: readonly ConformanceCase[] = [
  {
    name: 'unary, with a silent server: both sides see deadline_exceeded (timeout_on_sleeping_server)',
    async run(bed) {
      const reason = signal<unknown>()
      bed.serve({
        call: async (_, context) => {
          reason.resolve(await aborted(context.signal))
          return 0
        },
      })
      await connected(bed)
      expectStatus(await failure(bed.client.call(1, { timeout: REACH_MS })), 'deadline_exceeded')
      expectStatus((await reason.promise) as RpcError, 'deadline_exceeded')
    },
  },
  {
    name: 'a handler that ignores its signal does not hold up the caller',
    async run(bed) {
      const release = signal()
      bed.serve({
        call: async (n) => {
          await release.promise
          return n
        },
      })
      expectStatus(
        await failure(bed.client.call(1, { deadline: new Date(Date.now() + SHORT_MS) })),
        'deadline_exceeded',
      )
      release.resolve()
    },
  },
  {
    name: 'streams: the deadline bounds the whole call',
    async run(bed) {
      const reasons: unknown[] = []
      bed.serve({
        async *produce(_, context) {
          yield 1
          reasons.push(await aborted(context.signal))
        },
        async *talk(_, updates) {
          try {
            for await (const n of updates) yield n
          } catch (error) {
            reasons.push(error)
            throw error
          }
        },
        collect: async (_, updates) => {
          for await (const _ of updates) {
            // Until it throws.
          }
          return 0
        },
      })
      await connected(bed)
      const options = { timeout: REACH_MS }
      const produce = bed.client.produce(0, options)
      const others = [all(bed.client.talk(0, options)), bed.client.collect(0, options).response].map((call) =>
        failure(call),
      )
      expect(await produce.receive()).toBe(1)
      expectStatus(await failure(produce.receive()), 'deadline_exceeded')
      for (const error of await Promise.all(others)) expectStatus(error, 'deadline_exceeded')
      await until(() => reasons.length >= 2)
      for (const reason of reasons) expectStatus(reason as RpcError, 'deadline_exceeded')
    },
  },
  {
    name: 'the server knows the deadline, and can hand it on',
    async run(bed) {
      const seen = signal<number | undefined>()
      bed.serve({
        call: async (n, { deadline }) => {
          seen.resolve(deadline)
          return n
        },
      })
      const deadline = Date.now() + 60_000
      await bed.client.call(1, { deadline })
      expect(Math.abs(((await seen.promise) ?? 0) - deadline)).toBeLessThan(5000)
    },
  },
  {
    name: 'the server keeps the deadline by itself, when the client falls silent',
    async run(bed) {
      const reason = signal<unknown>()
      bed.serve({
        call: async (_, context) => {
          reason.resolve(await aborted(context.signal))
          return 0
        },
      })
      const channel = await bed.bed.connector.open({ method: 'kit/call' })
      await channel.send({ method: 'kit/call', metadata: undefined, timeout: REACH_MS, message: 1 }, true)
      expectStatus((await reason.promise) as RpcError, 'deadline_exceeded')
      expectStatus(await failure(channel.receiveOnly()), 'deadline_exceeded')
    },
  },
  {
    name: 'without a deadline there is none',
    async run(bed) {
      const seen = signal<number | undefined>()
      bed.serve({
        call: async (n, { deadline }) => {
          seen.resolve(deadline)
          return n
        },
      })
      await bed.client.call(1)
      expect(await seen.promise).toBeUndefined()
    },
  },
  {
    name: 'a deadline that has passed fails at once, and the handler is not called',
    async run(bed) {
      let called = 0
      bed.serve({ call: async () => ++called })
      expectStatus(await failure(bed.client.call(1, { timeout: 0 })), 'deadline_exceeded')
      expectStatus(await failure(bed.client.call(1, { deadline: Date.now() - 1 })), 'deadline_exceeded')
      expect(called).toBe(0)
    },
  },
  {
    name: 'a call that ends in time leaves no timer: its signal never fires',
    async run(bed) {
      let fired = false
      bed.serve({
        call: async (n, context) => {
          context.signal.addEventListener('abort', () => {
            fired = true
          })
          return n
        },
      })
      expect(await bed.client.call(1, { timeout: 3_600_000 })).toBe(1)
      expect(fired).toBe(false)
    },
  },
]
