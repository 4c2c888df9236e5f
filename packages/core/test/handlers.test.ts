/* oxlint-disable unicorn/no-thenable -- other promise libraries have their own */
import {
  createClient,
  type Handlers,
  RpcError,
  serve,
  serverStreaming,
  service,
  type UpdateStream,
  unary,
} from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, type Kit } from './support/bed.ts'
import { createTransport } from './support/transport.ts'
import { aborted, all, failure, gate, never, turns, unhandled } from './support/wait.ts'

describe('a handler', () => {
  it.each<[string, Handlers<typeof Kit>['call']]>([
    ['a value', (n) => n + 1],
    ['a promise', async (n) => n + 1],
    // biome-ignore lint/suspicious/noThenProperty: other promise libraries have their own.
    ['a promise of another library', (n) => ({ then: (f: (n: number) => void) => f(n + 1), catch() {} }) as never],
  ])('may return %s', async (_, call) => {
    expect(await bed({ handlers: { call } }).client.call(1)).toBe(2)
  })

  it.each<[string, (count: number) => Iterable<number> | AsyncIterable<number>]>([
    [
      'an async generator',
      async function* (count) {
        for (let n = 0; n < count; n++) yield n
      },
    ],
    [
      'a generator',
      function* (count) {
        for (let n = 0; n < count; n++) yield n
      },
    ],
    ['an array', (count) => Array.from({ length: count }, (_, n) => n)],
    ['a set', (count) => new Set(Array.from({ length: count }, (_, n) => n))],
    [
      'a readable stream',
      (count) => ReadableStream.from(Array.from({ length: count }, (_, n) => n)) as AsyncIterable<number>,
    ],
  ])('of a stream may return %s', async (_, produce) => {
    expect(await all(bed({ handlers: { produce } }).client.produce(3))).toEqual([0, 1, 2])
  })

  it('of a stream may return a string, which is an iterable of strings', async () => {
    const S = service('s', { letters: serverStreaming<void, string>() })
    const { connector, listener } = createTransport()
    serve(S, { letters: () => 'abc' }, listener, { onError() {} })
    expect(await all(createClient(S, connector).letters())).toEqual(['a', 'b', 'c'])
  })

  it.each([undefined, null, 5, {}, () => {}])(
    'of a stream that returns %o fails with internal, and the server is told how to write it',
    async (result) => {
      const { client, errors } = bed({ handlers: { produce: () => result as never } })
      expect((await failure(all(client.produce(1)))).code).toBe('internal')
      expect(errors).toHaveLength(1)
      expect(errors[0]?.error).toBeInstanceOf(TypeError)
      expect(String(errors[0]?.error)).toContain('async *produce')
    },
  )

  it('of a stream that is async and fails leaves no unhandled rejection', async () => {
    const found = await unhandled(async () => {
      const { client } = bed({ handlers: { produce: (async () => Promise.reject(new Error('x'))) as never } })
      expect((await failure(all(client.produce(1)))).code).toBe('internal')
    })
    expect(found).toEqual([])
  })

  it('knows its call by its context', async () => {
    const { client } = bed({
      handlers: {
        call(_, { method, peer, deadline, metadata }) {
          expect({ method, peer, deadline, metadata: [...metadata] }).toEqual({
            method: 'kit/call',
            peer: { transport: 'test', address: 'test:' },
            deadline: undefined,
            metadata: [],
          })
          return 1
        },
      },
    })
    expect(await client.call(1)).toBe(1)
  })

  it('has its map as `this`', async () => {
    const S = service('s', { name: unary<void, string>() })
    const { connector, listener } = createTransport()
    const handlers = new (class {
      #name = 'private'
      name(): string {
        return this.#name
      }
    })()
    serve(S, handlers, listener)
    expect(await createClient(S, connector).name()).toBe('private')
  })

  it('that throws after its call was cut short is heard by onError alone', async () => {
    const go = gate()
    const done = gate()
    const { client, errors } = bed({
      handlers: {
        async call() {
          await go.promise
          done.resolve()
          throw new Error('too late')
        },
      },
    })
    const abort = new AbortController()
    const outcome = failure(client.call(1, { signal: abort.signal }))
    abort.abort()
    await outcome
    const found = await unhandled(async () => {
      go.resolve()
      await done.promise
    })
    expect(found).toEqual([])
    expect(errors).toMatchObject([{ error: { message: 'too late' } }])
  })

  it('that throws the reason it was stopped for, or an AbortError, tells onError nothing new', async () => {
    const { client, errors } = bed({
      handlers: {
        async call(n, { signal }) {
          await aborted(signal)
          throw n === 1 ? signal.reason : Object.assign(new Error('aborted'), { name: 'AbortError' })
        },
      },
    })
    for (const n of [1, 2]) {
      const abort = new AbortController()
      const outcome = failure(client.call(n, { signal: abort.signal }))
      abort.abort()
      await outcome
    }
    await turns()
    expect(errors).toEqual([])
  })

  it('is not kept waiting by the others', async () => {
    const { client } = bed({ handlers: { call: (n) => (n === 0 ? never() : n) } })
    void client.call(0)
    expect(await Promise.all([client.call(1), client.call(2)])).toEqual([1, 2])
  })
})

describe('the generator of a stream', () => {
  it('is asked no further than the client reads, and closed when the client goes', async () => {
    let given = 0
    let closed = 0
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ value: given++, done: false }),
        async return() {
          closed++
          return { value: undefined, done: true }
        },
      }),
    }
    const { client } = bed({ window: 4, handlers: { produce: () => source } })
    const call = client.produce(0)
    await call.receive()
    await turns()
    expect(given).toBeLessThan(12)
    call.cancel()
    await turns()
    expect(closed).toBe(1)
  })

  it('is not closed when it ended or threw by itself', async () => {
    let closed = 0
    const source = (fails: boolean): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({
        async next() {
          if (fails) throw new RpcError('aborted')
          return { value: undefined, done: true }
        },
        async return() {
          closed++
          return { value: undefined, done: true }
        },
      }),
    })
    const { client } = bed({ handlers: { produce: (n) => source(n === 1) } })
    expect(await all(client.produce(0))).toEqual([])
    expect((await failure(all(client.produce(1)))).code).toBe('aborted')
    expect(closed, 'a loop does not close what has ended').toBeLessThanOrEqual(1)
    await turns()
  })

  it('that fails to be closed leaves no unhandled rejection', async () => {
    const fail = (): never => {
      throw new Error('in finally')
    }
    const found = await unhandled(async () => {
      const { client } = bed({
        handlers: {
          async *produce() {
            try {
              for (let n = 0; ; n++) yield n
            } finally {
              fail()
            }
          },
        },
      })
      for await (const _ of client.produce(0)) break
    })
    expect(found).toEqual([])
  })
})

describe('the updates of a handler', () => {
  it('come by a loop or one by one, and tell the end from an update that is undefined', async () => {
    const seen: unknown[] = []
    const { client } = bed({
      handlers: {
        async collect(_, updates: UpdateStream<number>) {
          for (let n = await updates.receive(); !updates.ended; n = await updates.receive()) seen.push(n)
          return seen.length
        },
      },
    })
    expect(await client.collect(0, [1, undefined as never, 3])).toBe(3)
    expect(seen).toEqual([1, undefined, 3])
  })

  it('may be left alone', async () => {
    const { client } = bed({ handlers: { collect: async (n) => n } })
    expect(await client.collect(5, [1, 2, 3])).toBe(5)
  })

  it('may be left halfway: the client is not disturbed, and the answer comes', async () => {
    const { client } = bed({
      handlers: {
        async collect(_, updates) {
          for await (const n of updates) {
            if (n === 2) break
          }
          await turns()
          return 9
        },
      },
    })
    const call = client.collect(0)
    for (let n = 0; n < 200; n++) await call.send(n)
    expect(await call.finish()).toBe(9)
  })

  it('are void once the handler has answered: a stream of responses ends though the updates have not', async () => {
    const { client, size } = bed({
      handlers: {
        async *talk(_, updates) {
          yield (await updates.receive()) ?? 0
        },
      },
    })
    const call = client.talk(0)
    await call.send(8)
    expect(await all(call)).toEqual([8])
    await turns()
    expect(size()).toBe(0)
  })
})
