import type { Context } from '@qrpc/core'
import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { all, expectStatus, failure, numbers, signal, thrown, until } from '../wait.ts'

/** The patterns at their best: what goes in comes out, in order, and ends. */
export const patterns: readonly ConformanceCase[] = [
  {
    name: 'unary: sqr(1234) is 1522756',
    async run(bed) {
      bed.serve({ call: async (n) => n * n })
      expect(await bed.client.call(1234)).toBe(1522756)
    },
  },
  {
    name: 'unary: a handler may answer at once, without a promise',
    async run(bed) {
      bed.serve({ call: (n) => n + 1 })
      expect(await bed.client.call(1)).toBe(2)
    },
  },
  {
    name: 'unary: an empty request and an empty response (empty_unary)',
    async run(bed) {
      let called = 0
      bed.serve({
        nothing: async (request) => {
          expect(request).toBeUndefined()
          called++
        },
      })
      expect(await bed.client.nothing()).toBeUndefined()
      expect(called).toBe(1)
    },
  },
  {
    name: 'unary: structured values and bytes arrive as they were (large_unary)',
    async run(bed) {
      bed.serve({ any: async (value) => value })
      const bytes = new Uint8Array(300_000).map((_, i) => i * 7)
      const value = {
        text: 'grüße 🚀',
        list: [1, -1, 1.5, null, true],
        map: new Map([['k', 1]]),
        bytes,
        none: undefined,
      }
      expect(await bed.client.any(value)).toEqual(value)
    },
  },
  {
    name: 'unary: 200 calls at a time get each its own answer',
    async run(bed) {
      bed.serve({ call: async (n) => n * 2 })
      const answers = await Promise.all([...numbers(200)].map((n) => bed.client.call(n)))
      expect(answers).toEqual([...numbers(200)].map((n) => n * 2))
    },
  },
  {
    name: 'notify: the request arrives, and the call settles without an answer',
    async run(bed) {
      const got = signal<number>()
      bed.serve({ tell: (n) => got.resolve(n) })
      expect(await bed.client.tell(7)).toBeUndefined()
      expect(await got.promise).toBe(7)
    },
  },
  {
    name: 'notify: what the handler throws stays on the server',
    async run(bed) {
      const reported = signal<unknown>()
      bed.serve(
        {
          tell: () => {
            throw new Error('mine')
          },
        },
        { onError: (error) => reported.resolve(error) },
      )
      await bed.client.tell(1)
      expect(await reported.promise).toMatchObject({ message: 'mine' })
    },
  },
  {
    name: 'client streaming: the sum of 1, 2 and 3 is 6, sent by hand (client_streaming)',
    async run(bed) {
      bed.serve({ collect: sum })
      const call = bed.client.collect(0)
      for (const n of [1, 2, 3]) await call.send(n)
      expect(await call.finish()).toBe(6)
    },
  },
  {
    name: 'client streaming: from an iterable, sync or async',
    async run(bed) {
      bed.serve({ collect: sum })
      expect(await bed.client.collect(10, [1, 2, 3])).toBe(16)
      async function* later() {
        yield* [4, 5]
      }
      expect(await bed.client.collect(0, later())).toBe(9)
    },
  },
  {
    name: 'client streaming: without any update',
    async run(bed) {
      bed.serve({ collect: sum })
      expect(await bed.client.collect(5).finish()).toBe(5)
      expect(await bed.client.collect(5, [])).toBe(5)
    },
  },
  {
    name: 'server streaming: ten Fibonacci numbers (server_streaming)',
    async run(bed) {
      bed.serve({
        async *produce(count) {
          let [a, b] = [0, 1]
          for (let i = 0; i < count; i++) {
            yield a
            ;[a, b] = [b, a + b]
          }
        },
      })
      expect(await all(bed.client.produce(10))).toEqual([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
    },
  },
  {
    name: 'server streaming: a sync iterable serves as well as a generator',
    async run(bed) {
      bed.serve({ produce: (count) => numbers(count) })
      expect(await all(bed.client.produce(3))).toEqual([0, 1, 2])
    },
  },
  {
    name: 'server streaming: an empty stream ends, and counts as started (empty_stream)',
    async run(bed) {
      bed.serve({ async *produce() {} })
      const call = bed.client.produce(0)
      await call.started
      expect(await all(call)).toEqual([])
    },
  },
  {
    name: 'server streaming: void responses are counted, and told from the end',
    async run(bed) {
      bed.serve({ voids: (count) => Array.from<undefined>({ length: count }) })
      expect(await all(bed.client.voids(3))).toEqual([undefined, undefined, undefined])
      const call = bed.client.voids(1)
      expect(await call.receive()).toBeUndefined()
      expect(call.ended).toBe(false)
      expect(await call.receive()).toBeUndefined()
      expect(call.ended).toBe(true)
    },
  },
  {
    name: 'server streaming: 10,000 messages arrive in order',
    async run(bed) {
      bed.serve({ produce: (count) => numbers(count) })
      let next = 0
      for await (const n of bed.client.produce(10_000)) {
        if (n !== next++) throw new Error(`message ${n} came where ${next - 1} was due`)
      }
      expect(next).toBe(10_000)
    },
  },
  {
    name: 'server streaming: read by hand, a message at a time',
    async run(bed) {
      bed.serve({ produce: (count) => numbers(count) })
      const call = bed.client.produce(2)
      expect(await call.receive()).toBe(0)
      expect(await call.receive()).toBe(1)
      expect(await call.receive()).toBeUndefined()
      expect(call.ended).toBe(true)
    },
  },
  {
    name: 'bidi: multiply [1, 2, 3] by 2 in ping-pong (ping_pong)',
    async run(bed) {
      bed.serve({ talk: multiply })
      const call = bed.client.talk(2)
      for (const n of [1, 2, 3]) {
        await call.send(n)
        expect(await call.receive()).toBe(2 * n)
      }
      call.end()
      expect(await call.receive()).toBeUndefined()
      expect(call.ended).toBe(true)
    },
  },
  {
    name: 'bidi: from an iterable, 10,000 messages each way in order',
    async run(bed) {
      bed.serve({ talk: multiply })
      let next = 0
      for await (const n of bed.client.talk(3, numbers(10_000))) {
        if (n !== 3 * next++) throw new Error(`message ${n} came where ${3 * (next - 1)} was due`)
      }
      expect(next).toBe(10_000)
    },
  },
  {
    name: 'bidi: without any message either way (empty_stream)',
    async run(bed) {
      bed.serve({ talk: multiply })
      const call = bed.client.talk(1)
      call.end()
      expect(await all(call)).toEqual([])
    },
  },
  {
    name: 'nested services: a call reaches the second level',
    async run(bed) {
      bed.serve({ inner: { inner: { echo: async (n) => n } } })
      expect(await bed.client.inner.inner.echo(4)).toBe(4)
    },
  },
  {
    name: 'metadata: strings and bytes arrive, keys in any case, several values a key (custom_metadata)',
    async run(bed) {
      const seen = signal<unknown[]>()
      bed.serve({
        call: async (n, { metadata }) => {
          seen.resolve([metadata.get('X-Trace'), metadata.getAll('tag'), metadata.get('blob'), metadata.has('none')])
          return n
        },
      })
      await bed.client.call(1, { metadata: { 'x-trace': 'grüße', Tag: ['a', 'b'], blob: new Uint8Array([0, 255]) } })
      expect(await seen.promise).toEqual(['grüße', ['a', 'b'], new Uint8Array([0, 255]), false])
    },
  },
  {
    name: 'metadata and deadline arrive with calls of every pattern',
    async run(bed) {
      const seen: unknown[][] = []
      const note = ({ metadata, deadline, method }: Context): [] => {
        seen.push([method, metadata.getAll('k'), metadata.get('b'), typeof deadline])
        return []
      }
      bed.serve({
        call: (_, context) => note(context).length,
        collect: (_, __, context) => note(context).length,
        produce: (_, context) => note(context),
        talk: (_, __, context) => note(context),
        tell: (_, context) => void note(context),
      })
      const options = { metadata: { K: ['a', 'b'], b: new Uint8Array([1, 0]) }, timeout: 60_000 }
      await bed.client.call(1, options)
      await bed.client.collect(1, [], options)
      await all(bed.client.produce(1, options))
      await all(bed.client.talk(1, [], options))
      await bed.client.tell(1, options)
      await until(() => seen.length >= 5)
      const methods = ['kit/call', 'kit/collect', 'kit/produce', 'kit/talk', 'kit/tell']
      expect(seen).toEqual(methods.map((method) => [method, ['a', 'b'], new Uint8Array([1, 0]), 'number']))
    },
  },
  {
    name: 'both sides send a whole window before either reads: nobody is stuck',
    async run(bed) {
      const { window, guaranteedWindow: count = window } = bed.transport.capabilities
      bed.serve({
        async *talk(_, updates) {
          yield* numbers(count)
          for await (const n of updates) yield n
        },
      })
      const call = bed.client.talk(0)
      for (const n of numbers(count)) await call.send(n)
      call.end()
      expect((await all(call)).length).toBe(2 * count)
    },
  },
  {
    name: 'context: names the method and the peer',
    async run(bed) {
      const seen = signal<unknown>()
      bed.serve({
        call: async (n, { method, peer }) => {
          seen.resolve([method, peer.transport.length > 0, typeof peer.address])
          return n
        },
      })
      await bed.client.call(1)
      expect(await seen.promise).toEqual(['kit/call', true, 'string'])
    },
  },
  {
    name: 'sending after the updates were ended is a failed_precondition',
    async run(bed) {
      bed.serve({ collect: sum, talk: multiply })
      const call = bed.client.collect(0)
      await call.send(1)
      expect(await call.finish()).toBe(1)
      expectStatus(await thrown(() => call.send(2)), 'failed_precondition')
      expectStatus(await thrown(() => call.trySend(2)), 'failed_precondition')
      expectStatus(await failure(call.finish()), 'failed_precondition')
      expect(await call.response).toBe(1)
      const talk = bed.client.talk(1)
      talk.end()
      talk.end()
      expectStatus(await thrown(() => talk.send(1)), 'failed_precondition')
      expect(await all(talk)).toEqual([])
    },
  },
]

async function sum(start: number, updates: AsyncIterable<number>): Promise<number> {
  let total = start
  for await (const n of updates) total += n
  return total
}

async function* multiply(factor: number, updates: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const n of updates) yield factor * n
}
