import { isDeepStrictEqual } from 'node:util'
import { RpcError } from '@qrpc/core'
import { expect } from 'vitest'
import type { CaseBed } from '../bed.ts'
import type { ConformanceCase } from '../case.ts'
import { aborted, all, expectStatus, failure, numbers, signal, thrown } from '../wait.ts'

const MB = 1_000_000

/** One of each kind that travels, and its edges. */
const VALUES_BY_KIND: readonly (readonly unknown[])[] = [
  [0, -0, 1, -1, 1.5, 255, 2 ** 31, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, 5e-324, Number.MAX_VALUE],
  [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [0n, -1n, 2n ** 53n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n), -(2n ** 200n)],
  ['', 'a', 'é', '水', '😈', '\0', 'x'.repeat(70_000), true, false, null, undefined],
  [new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(70_000).fill(7)],
  [Int8Array.of(-1), Uint8ClampedArray.of(255), Int16Array.of(-1), Uint16Array.of(1), Int32Array.of(-1)],
  [Uint32Array.of(1), BigInt64Array.of(-1n), BigUint64Array.of(1n), Float32Array.of(0.5), Float64Array.of(0.1)],
  [[], [[], [1, [undefined]]], {}, { a: { b: [null] }, 'b c': 1, constructor: 1, 1: 'one' }],
  [new Map(), new Map<unknown, unknown>([[{ a: 1 }, new Map([[1, undefined]])]]), new Set([1, 'a', new Set()])],
  [new Date(0), new Date(1), new Date(-1), new Date(1e12 + 1), new Date(8.64e15), new Date(-8.64e15)],
]
const VALUES: readonly unknown[] = VALUES_BY_KIND.flat()

class Point {
  readonly x = 1
}

const circle: unknown[] = []
circle.push(circle)

/** Some of those that do not travel, and what is said of them. */
const REFUSED: readonly (readonly [value: unknown, why: string])[] = [
  [() => 1, 'function'],
  [Symbol('a'), 'symbol'],
  [new Point(), 'Point'],
  [circle, 'circle'],
  [new Date(Number.NaN), 'Date'],
  ['\ud800', 'surrogate'],
]

function expectSame(actual: unknown, expected: unknown): void {
  // toStrictEqual takes a property named constructor for the class.
  expect(isDeepStrictEqual(actual, expected)).toBe(true)
}

/** Calls go on after one that could not be sent. */
async function expectAlive(bed: CaseBed): Promise<void> {
  expect(await bed.client.checked(5)).toBe(6)
}

const alive = { checked: async (n: number): Promise<number> => n + 1 }

/** Which values arrive, and what becomes of the rest. */
export const values: readonly ConformanceCase[] = [
  {
    name: 'every kind of value arrives equal, as request and as response',
    async run(bed) {
      let seen: unknown
      bed.serve({
        any: async (request) => {
          seen = request
          return request
        },
      })
      for (const value of VALUES) {
        const response = await bed.client.any(value)
        expectSame(seen, value)
        expectSame(response, value)
      }
    },
  },
  {
    name: 'and as update, as response of a stream, and as data of an error',
    needs: 'serializes',
    async run(bed) {
      bed.serve({
        async *talk(request, updates) {
          yield request
          yield* updates
          throw new RpcError('aborted', 'all', { data: VALUES })
        },
      })
      const updates = VALUES as readonly never[]
      const call = bed.client.talk(VALUES as never, updates)
      expectSame(await call.receive(), VALUES)
      for (const value of VALUES) {
        expectSame(await call.receive(), value)
        expect(call.ended).toBe(false)
      }
      expectSame((await thrown(() => call.receive())).data, VALUES)
    },
  },
  {
    name: 'what arrives is a copy: both sides may change what they have',
    needs: 'serializes',
    async run(bed) {
      const request = { list: [1], bytes: Uint8Array.of(1) }
      const kept: { list: number[] }[] = []
      bed.serve({
        any: async (message) => {
          const arrived = message as typeof request
          kept.push(arrived)
          arrived.list.push(2)
          return arrived
        },
      })
      const response = (await bed.client.any(request)) as typeof request
      expect(request.list).toEqual([1])
      response.list.push(3)
      expect(kept[0]?.list).toEqual([1, 2])
    },
  },
  {
    name: 'bytes of any kind arrive as a Uint8Array, and objects of any making as plain ones',
    needs: 'serializes',
    async run(bed) {
      bed.serve({ any: async (request) => request })
      const bare = Object.assign(Object.create(null) as object, { a: 1 })
      const getter = {
        get a() {
          return 1
        },
      }
      expectSame(await bed.client.any([Buffer.from('a'), bare, getter]), [Uint8Array.of(97), { a: 1 }, { a: 1 }])
    },
  },
  {
    name: 'a request that cannot be sent fails its call with invalid_argument and the path to it, and calls no handler',
    needs: 'serializes',
    async run(bed) {
      let called = 0
      bed.serve({
        ...alive,
        any: async () => called++,
        collect: async () => called++,
        produce: () => numbers(called++),
        talk: () => numbers(called++),
        tell: () => {
          called++
        },
      })
      for (const [value, why] of REFUSED) {
        const message = { list: [1, value] } as never
        const outcomes = [
          bed.client.any(message),
          bed.client.any(message, { timeout: 10_000 }),
          bed.client.collect(message, [1]),
          bed.client.collect(message).finish(),
          all(bed.client.produce(message)),
          all(bed.client.talk(message, [1])),
          bed.client.tell(message),
        ]
        for (const error of await Promise.all(outcomes.map((outcome) => failure(outcome)))) {
          expectStatus(error, 'invalid_argument', /^request\.list\[1\]/)
          expect(error.message).toContain(why)
        }
      }
      await expectAlive(bed)
      expect(called).toBe(0)
      expect(bed.reported).toEqual([])
    },
  },
  {
    name: 'an update that cannot be sent throws where it is sent by hand, and the call goes on',
    needs: 'serializes',
    async run(bed) {
      bed.serve({
        collect: async (start, updates) => {
          let total = start
          for await (const n of updates) total += n
          return total
        },
      })
      const call = bed.client.collect(1)
      await call.send(10)
      for (const [value] of REFUSED) {
        expectStatus(await thrown(() => call.send([value] as never)), 'invalid_argument', /^message\[0\]/)
      }
      await call.send(100)
      expect(await call.finish()).toBe(111)
    },
  },
  {
    name: 'an update of an iterable that cannot be sent fails the call, closes the iterable, and the server hears of it',
    needs: 'serializes',
    async run(bed) {
      const begun = signal()
      const cut = signal<unknown>()
      bed.serve({
        ...alive,
        collect: async (_, updates, context) => {
          const reason = aborted(context.signal)
          begun.resolve()
          try {
            for await (const _ of updates) {
              // Until it throws.
            }
          } finally {
            cut.resolve(await reason)
          }
          return 0
        },
      })
      let closed = false
      async function* updates(): AsyncGenerator<number> {
        try {
          yield 1
          // A server that has not heard of the call hears nothing of its end, either.
          await begun.promise
          yield (() => 1) as never
          yield 2
        } finally {
          closed = true
        }
      }
      expectStatus(await failure(bed.client.collect(0, updates())), 'invalid_argument', /^message is a function/)
      expect(closed).toBe(true)
      expectStatus((await cut.promise) as RpcError, 'invalid_argument')
      await expectAlive(bed)
    },
  },
  {
    name: 'a response that cannot be sent is internal, without a word about it; onError gets the path to it',
    needs: 'serializes',
    async run(bed) {
      bed.serve({
        ...alive,
        any: async () => ({ list: [() => 1] }),
        collect: async () => new Point() as never,
        async *produce() {
          yield 1
          yield circle as never
        },
        *talk() {
          yield Symbol('a') as never
        },
      })
      const stream = bed.client.produce(0)
      expect(await stream.receive()).toBe(1)
      const outcomes = [bed.client.any(1), bed.client.collect(1, [1]), all(stream), all(bed.client.talk(1, []))]
      for (const error of await Promise.all(outcomes.map((outcome) => failure(outcome)))) {
        expectStatus(error, 'internal')
        expect(error.message).not.toMatch(/function|Point|circle|symbol/)
      }
      await expectAlive(bed)
      const told = bed.reported.map(({ error, source }) => `${source.method}: ${String(error)}`).sort()
      expect(told).toEqual([
        expect.stringMatching(/^kit\/any: .*message\.list\[0\] is a function/),
        expect.stringMatching(/^kit\/collect: .*message is an object of class Point/),
        expect.stringMatching(/^kit\/produce: .*message\[0\] refers back to message/),
        expect.stringMatching(/^kit\/talk: .*message is a symbol/),
      ])
    },
  },
  {
    name: 'data of an error that cannot be sent make the error internal',
    needs: 'serializes',
    async run(bed) {
      bed.serve({
        ...alive,
        call: async () => {
          throw new RpcError('not_found', 'gone', { name: 'NotFound', data: { callback: () => 1 } })
        },
        async *produce() {
          yield 1
          throw new RpcError('aborted', 'torn', { data: circle })
        },
      })
      const error = await failure(bed.client.call(1))
      expectStatus(error, 'internal', /not_found.*data/)
      expect(error.data).toBeUndefined()
      const stream = bed.client.produce(1)
      expect(await stream.receive()).toBe(1)
      expectStatus(await thrown(() => stream.receive()), 'internal', /aborted.*data/)
      await expectAlive(bed)
    },
  },
  {
    name: 'a message of 10 MB passes, as request, update and response',
    needs: 'limitsMessages',
    async run(bed) {
      const large = new Uint8Array(10 * MB).map((_, i) => i)
      bed.serve({
        any: async (request) => request,
        async *talk(_, updates) {
          yield* updates
        },
      })
      expect(Buffer.compare((await bed.client.any(large)) as Uint8Array, large)).toBe(0)
      for await (const update of bed.client.talk(1, [large] as never)) {
        expect(Buffer.compare(update as never, large)).toBe(0)
      }
    },
  },
  {
    name: 'a message of 20 MB fails with resource_exhausted where it is sent, and the other side is told',
    needs: 'limitsMessages',
    async run(bed) {
      const huge = new Uint8Array(20 * MB) as never
      const begun = signal()
      const cut = signal<unknown>()
      let called = 0
      bed.serve({
        ...alive,
        any: async (request) => {
          called++
          return request === 'give' ? huge : 0
        },
        async *produce() {
          yield 1
          yield huge
        },
        collect: async (_, __, context) => {
          begun.resolve()
          cut.resolve(await aborted(context.signal))
          return 0
        },
      })
      async function* updates(): AsyncGenerator<number> {
        await begun.promise
        yield huge
      }
      expectStatus(await failure(bed.client.any(huge)), 'resource_exhausted', /16777216/)
      expect(called).toBe(0)
      expectStatus(await failure(bed.client.any('give')), 'resource_exhausted', /16777216/)
      const stream = bed.client.produce(0)
      expect(await stream.receive()).toBe(1)
      expectStatus(await thrown(() => stream.receive()), 'resource_exhausted')
      expect(bed.reported.map(({ source }) => source.method)).toEqual(['kit/any', 'kit/produce'])
      expectStatus(await failure(bed.client.collect(0, updates())), 'resource_exhausted')
      expectStatus((await cut.promise) as RpcError, 'resource_exhausted')
      await expectAlive(bed)
    },
  },
]
