import { RpcError } from '@qrpc/core'
import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { aborted, all, endless, expectStatus, failure, settled, signal, thrown, until } from '../wait.ts'

/** Closing ends what is open, once, and says why. */
export const lifecycle: readonly ConformanceCase[] = [
  {
    name: 'the listener closes in the middle of calls: they fail as unavailable, and their handlers learn of it',
    async run(bed) {
      const started = signal()
      const reason = signal<unknown>()
      const server = bed.serve({
        call: async (_, context) => {
          started.resolve()
          reason.resolve(await aborted(context.signal))
          return 0
        },
        produce: endless,
      })
      const stream = bed.client.produce(0)
      expect(await stream.receive()).toBe(0)
      const outcome = failure(bed.client.call(1))
      await started.promise
      await server.close({ graceMs: 0 })
      expectStatus(await outcome, 'unavailable')
      expectStatus(await failure(all(stream)), 'unavailable')
      expect(await reason.promise).toBeInstanceOf(RpcError)
    },
  },
  {
    name: 'the connector closes in the middle of calls: they are cancelled, and their handlers learn of it',
    async run(bed) {
      const started = signal()
      const reason = signal<unknown>()
      bed.serve({
        call: async (_, context) => {
          started.resolve()
          reason.resolve(await aborted(context.signal))
          return 0
        },
      })
      const outcome = failure(bed.client.call(1))
      await started.promise
      await bed.bed.connector.close()
      expectStatus(await outcome, 'cancelled')
      expect(await reason.promise).toBeInstanceOf(RpcError)
    },
  },
  {
    name: 'drain: calls that run may end, new ones are refused',
    async run(bed) {
      const release = signal()
      const started = signal()
      const server = bed.serve({
        call: async (n) => {
          if (n !== 1) return n
          started.resolve()
          await release.promise
          return n
        },
      })
      const running = bed.client.call(1)
      await started.promise
      const closed = server.close({ graceMs: 60_000 })
      await bed.synchronize()
      // Those that the server had been sent before the client could know are answered.
      const callUntilRefused = async (): Promise<void> => {
        for (let n = 2; ; n++) expect(await bed.client.call(n)).toBe(n)
      }
      expectStatus(await failure(callUntilRefused()), 'unavailable')
      release.resolve()
      expect(await running).toBe(1)
      await closed
    },
  },
  {
    name: 'drain: streams that run may end, too',
    async run(bed) {
      const server = bed.serve({
        async *produce() {
          yield 1
          await closing.promise
          yield 2
        },
        async *talk(_, updates) {
          for await (const n of updates) yield n
        },
        collect: async (start, updates) => {
          let total = start
          for await (const n of updates) total += n
          return total
        },
      })
      const closing = signal()
      const produce = bed.client.produce(0)
      const talk = bed.client.talk(0)
      const collect = bed.client.collect(0)
      expect(await produce.receive()).toBe(1)
      await talk.send(1)
      expect(await talk.receive()).toBe(1)
      await collect.send(1)
      const closed = server.close({ graceMs: 60_000 })
      await bed.synchronize()
      closing.resolve()
      expect(await all(produce)).toEqual([2])
      await talk.send(2)
      expect(await talk.receive()).toBe(2)
      talk.end()
      expect(await all(talk)).toEqual([])
      await collect.send(2)
      expect(await collect.finish()).toBe(3)
      await closed
    },
  },
  {
    name: 'drain with an endless stream: it is cut off when the grace is over, and close resolves',
    async run(bed) {
      const finished = signal()
      const server = bed.serve({
        async *produce(_, context) {
          try {
            yield 1
            await aborted(context.signal)
          } finally {
            finished.resolve()
          }
        },
      })
      const stream = bed.client.produce(0)
      expect(await stream.receive()).toBe(1)
      await server.close({ graceMs: 30 })
      expectStatus(await failure(all(stream)), 'unavailable')
      await finished.promise
    },
  },
  {
    name: 'close resolves though a handler never ends, and again when called again',
    async run(bed) {
      const started = signal()
      const server = bed.serve({
        call: () => {
          started.resolve()
          return new Promise<number>(() => {})
        },
      })
      const outcome = failure(bed.client.call(1))
      await started.promise
      const draining = server.close({ graceMs: 60_000 })
      await server.close({ graceMs: 0 })
      await draining
      await server.close()
      expectStatus(await outcome, 'unavailable')
    },
  },
  {
    name: 'the connector closes with a grace: calls that run may end, new ones are a failed_precondition',
    async run(bed) {
      const release = signal()
      const started = signal()
      bed.serve({
        call: async (n) => {
          started.resolve()
          await release.promise
          return n
        },
      })
      const running = bed.client.call(1)
      await started.promise
      const closed = bed.bed.connector.close({ graceMs: 60_000 })
      expectStatus(await failure(bed.client.call(2)), 'failed_precondition')
      release.resolve()
      expect(await running).toBe(1)
      await closed
    },
  },
  {
    name: 'use after close is a failed_precondition, for calls of every pattern',
    async run(bed) {
      bed.serve({})
      await bed.bed.connector.close()
      await bed.bed.connector.close()
      expectStatus(await failure(bed.client.call(1)), 'failed_precondition')
      expectStatus(await failure(bed.client.tell(1)), 'failed_precondition')
      expectStatus(await failure(bed.client.collect(1).finish()), 'failed_precondition')
      expectStatus(await failure(all(bed.client.produce(1))), 'failed_precondition')
      expectStatus(await failure(all(bed.client.talk(1))), 'failed_precondition')
    },
  },
  {
    name: 'nobody listens: unavailable',
    async run(bed) {
      await bed.bed.listener.close()
      expectStatus(await failure(bed.client.call(1)), 'unavailable')
      expectStatus(await failure(all(bed.client.produce(1))), 'unavailable')
    },
  },
  {
    name: 'the server goes away and comes back: later calls do not notice (server away and back)',
    needs: 'restart',
    async run(bed) {
      const started = signal()
      const server = bed.serve({
        call: async (_, context) => {
          started.resolve()
          await aborted(context.signal)
          return 0
        },
      })
      const inFlight = failure(bed.client.call(1))
      await started.promise
      await server.close({ graceMs: 0 })
      expectStatus(await inFlight, 'unavailable')
      expectStatus(await failure(bed.client.call(2)), 'unavailable')
      const listener = await bed.bed.restart?.()
      bed.serve({ call: async (n) => n }, undefined, listener)
      expect(await bed.client.call(3)).toBe(3)
    },
  },
  {
    name: 'the server’s process dies in the middle of calls: they fail as unavailable, and another in its place serves later ones',
    needs: 'kill',
    async run(bed) {
      const started = signal()
      bed.serve({
        call: async (_, context) => {
          started.resolve()
          await aborted(context.signal)
          return 0
        },
        produce: endless,
      })
      const stream = bed.client.produce(0)
      expect(await stream.receive()).toBe(0)
      const inFlight = failure(bed.client.call(1))
      await started.promise
      await bed.bed.kill?.()
      expectStatus(await inFlight, 'unavailable')
      expectStatus(await failure(all(stream)), 'unavailable')
      expectStatus(await failure(bed.client.call(2)), 'unavailable')
      const listener = await bed.bed.restart?.()
      bed.serve({ call: async (n) => n }, undefined, listener)
      expect(await bed.client.call(3)).toBe(3)
    },
  },
  {
    name: 'a listener has one consumer',
    async run(bed) {
      bed.serve({})
      expectStatus(await thrown(() => bed.bed.listener.onChannel(() => {})), 'failed_precondition')
      expectStatus(await failure(bed.bed.listener.accept()), 'failed_precondition')
    },
  },
  {
    name: 'a listener that was closed takes no consumer',
    async run(bed) {
      await bed.bed.listener.close()
      expectStatus(await thrown(() => bed.bed.listener.onChannel(() => {})), 'failed_precondition')
    },
  },
  {
    name: 'channels that came before their consumer are handed to it; those that were cancelled meanwhile are not',
    async run(bed) {
      const { connector, listener } = bed.bed
      const dead = await connector.open()
      await dead.send('dead')
      dead.cancel(new RpcError('cancelled'))
      const alive = await connector.open()
      await alive.send('alive', true)
      await settled(() => 0)
      const got: unknown[] = []
      listener.onChannel((channel) => {
        got.push(channel.receive())
        channel.end()
      })
      await until(() => got.length > 0)
      await settled(() => got.length)
      expect(await Promise.all(got)).toEqual(['alive'])
      expect(await all(alive)).toEqual([])
    },
  },
  {
    name: 'an accept loop ends when the listener closes',
    async run(bed) {
      const { listener } = bed.bed
      const loop = all(listener)
      await new Promise(setImmediate)
      await listener.close()
      expect(await loop).toEqual([])
      expect(await listener.accept()).toBeUndefined()
    },
  },
]
