import {
  type CallOptions,
  type Channel,
  type Connector,
  clientStreaming,
  createClient,
  RpcError,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, CALLS, Kit } from './support/bed.ts'
import { createTransport } from './support/transport.ts'
import { all, failure, gate, never, thrown, turns, unhandled } from './support/wait.ts'

const denied = new RpcError('permission_denied', 'not you')

describe('a call', () => {
  it.each(CALLS)('gives what the handler gives: $name', async ({ run, result }) => {
    const { client, size } = bed()
    expect(await run(client)).toEqual(result)
    await turns()
    expect(size()).toBe(0)
  })

  it.each(CALLS)('tells the connector what is called, and how: $name', async ({ run, method }) => {
    const { client, opens } = bed()
    await run(client)
    const name = method.slice('kit/'.length) as 'call'
    expect(opens).toHaveLength(1)
    expect(opens[0]).toMatchObject({ method, pattern: Kit[name].pattern })
  })

  it.each(CALLS)('fails with failed_precondition once the client is closed: $name', async ({ run }) => {
    const { client } = bed()
    await client[Symbol.asyncDispose]()
    expect((await failure(run(client))).code).toBe('failed_precondition')
  })

  it.each(CALLS)('fails with the error of a connector that throws: $name', async ({ run }) => {
    const { client } = bed({
      open() {
        throw denied
      },
    })
    expect(await failure(run(client))).toBe(denied)
  })

  it.each(CALLS)('fails with unavailable where a connector throws something else: $name', async ({ run }) => {
    const cause = new Error('no such host')
    const { client } = bed({
      open() {
        throw cause
      },
    })
    expect(await failure(run(client))).toMatchObject({ code: 'unavailable', cause })
  })

  it.each(
    CALLS.flatMap((call) =>
      [undefined, { timeout: 60_000 }].map((options) => ({
        ...call,
        options,
        how: options ? 'options' : 'no options',
      })),
    ),
  )('fails with internal where the transport cannot send the request: $name, $how', async ({ run, options }) => {
    const cause = new TypeError('cannot be cloned')
    const { client, size } = bed({
      open(pair) {
        const channel = pair()
        channel.send = () => {
          throw cause
        }
        return channel
      },
    })
    expect(await failure(run(client, options))).toMatchObject({ code: 'internal', cause })
    expect(size()).toBe(0)
  })

  it('disposes of the connector with its client', async () => {
    const { connector } = createTransport()
    {
      await using client = createClient(Kit, connector)
      expect(client.call).toBeTypeOf('function')
    }
    expect((await thrown(() => connector.open())).code).toBe('failed_precondition')
  })

  it('is cut off when the connector is closed', async () => {
    const { client, connector } = bed({ handlers: { call: never } })
    const call = client.call(1)
    await connector.close()
    expect((await failure(call)).code).toBe('cancelled')
  })
})

describe('unary', () => {
  it('has an optional request where that is void', async () => {
    const S = service('s', { ping: unary<void, string>() })
    const { connector, listener } = createTransport()
    serve(S, { ping: (request) => `pong ${String(request)}` }, listener)
    const client = createClient(S, connector)
    expect(await client.ping()).toBe('pong undefined')
    expect(await client.ping(undefined, { timeout: 60_000 })).toBe('pong undefined')
  })

  it('gives undefined where the response is void', async () => {
    const S = service('s', { nothing: unary() })
    const { connector, listener } = createTransport()
    serve(S, { nothing() {} }, listener)
    expect(await createClient(S, connector).nothing()).toBeUndefined()
  })

  it('passes a request and a response by reference, functions and all', async () => {
    const S = service('s', { echo: unary<object, object>() })
    const { connector, listener } = createTransport()
    serve(S, { echo: (message) => message }, listener)
    const message = { f() {} }
    expect(await createClient(S, connector).echo(message)).toBe(message)
  })

  it.each<[string, (channel: Channel) => void, string]>([
    ['ends without an answer', (channel) => channel.end(), 'unavailable'],
    [
      'answers twice',
      (channel) => {
        void channel.send(1)
        void channel.send(2)
      },
      'internal',
    ],
  ])('fails where the peer %s', async (_, answer, code) => {
    const { connector, listener } = createTransport()
    listener.onChannel(answer)
    const client = createClient(Kit, connector)
    expect((await failure(client.call(1))).code).toBe(code)
    expect((await failure(client.collect(1).finish())).code).toBe(code)
  })
})

describe('client streaming', () => {
  it('sends updates by hand and gives the response', async () => {
    const { client } = bed()
    const call = client.collect(1)
    await call.send(2)
    expect(call.trySend(3)).toBe(true)
    expect(await call.finish()).toBe(6)
  })

  it('gives the response by `response`, too, as the same promise', async () => {
    const { client } = bed()
    const call = client.collect(1)
    const response = call.response
    expect(await call.finish()).toBe(1)
    expect(await response).toBe(1)
    expect(call.response).toBe(response)
  })

  it('takes options besides updates', async () => {
    const { client } = bed({
      handlers: { collect: (_, __, { metadata }) => Number(metadata.get('n')) },
    })
    expect(await client.collect(0, { metadata: { n: '5' } }).finish()).toBe(5)
    expect(await client.collect(0, [], { metadata: { n: '6' } })).toBe(6)
  })

  it.each<[string, () => AsyncIterable<number> | Iterable<number>]>([
    ['an array', () => [1, 2, 3]],
    ['a set', () => new Set([1, 2, 3])],
    [
      'a generator',
      function* () {
        yield* [1, 2, 3]
      },
    ],
    [
      'an async generator',
      async function* () {
        yield* [1, 2, 3]
      },
    ],
  ])('takes updates from %s', async (_, updates) => {
    const { client } = bed()
    expect(await client.collect(0, updates())).toBe(6)
  })

  it('takes updates from a string, which is an iterable of strings', async () => {
    const S = service('s', { join: clientStreaming<void, string, string>() })
    const { connector, listener } = createTransport()
    serve(S, { join: async (_, updates) => (await all(updates)).join('-') }, listener)
    expect(await createClient(S, connector).join(undefined, 'abc')).toBe('a-b-c')
  })

  it('refuses to send after finish: failed_precondition', async () => {
    const { client } = bed()
    const call = client.collect(1)
    const response = call.finish()
    expect((await thrown(() => call.send(2))).code).toBe('failed_precondition')
    expect((await thrown(() => call.trySend(2))).code).toBe('failed_precondition')
    expect(await response).toBe(1)
  })

  it('refuses a second finish: failed_precondition', async () => {
    const { client } = bed()
    const call = client.collect(1)
    const response = call.finish()
    expect((await failure(call.finish())).code).toBe('failed_precondition')
    expect(await response).toBe(1)
    expect((await failure(call.finish())).code).toBe('failed_precondition')
  })

  it('drops updates without a word once the server has answered', async () => {
    const { client } = bed({ handlers: { collect: () => 7 } })
    const call = client.collect(1)
    expect(await call.response).toBe(7)
    expect(await call.send(2)).toBeUndefined()
    expect(call.trySend(2)).toBe(true)
    expect(await call.finish()).toBe(7)
  })

  it('throws at send what the call failed with', async () => {
    const { client } = bed({
      handlers: {
        collect() {
          throw denied
        },
      },
    })
    const call = client.collect(1)
    expect((await thrown(() => call.send(2))).code).toBe('permission_denied')
    expect((await failure(call.finish())).code).toBe('permission_denied')
  })

  it('waits at send until the handler has read, and loses nothing', async () => {
    const read = gate()
    const { client } = bed({
      window: 2,
      handlers: {
        async collect(first, updates) {
          await read.promise
          return (await all(updates)).reduce((a, b) => a + b, first)
        },
      },
    })
    const call = client.collect(0)
    expect([call.send(1), call.send(2)]).toEqual([undefined, undefined])
    expect(call.trySend(3)).toBe(false)
    const waiting = call.send(3)
    expect(waiting).toBeInstanceOf(Promise)
    read.resolve()
    await waiting
    expect(await call.finish()).toBe(6)
  })

  it('lets a send that waits go without a word when the server answers', async () => {
    const answer = gate()
    const { client } = bed({
      window: 1,
      handlers: {
        async collect() {
          await answer.promise
          return 7
        },
      },
    })
    const call = client.collect(0)
    void call.send(1)
    const waiting = call.send(2)
    answer.resolve()
    expect(await waiting).toBeUndefined()
    expect(await call.finish()).toBe(7)
  })

  it('cancels the call when the iterable throws, with that as the cause', async () => {
    const cause = new Error('disk')
    const reasons: unknown[] = []
    const { client } = bed({
      handlers: {
        async collect(_, updates, { signal }) {
          signal.addEventListener('abort', () => reasons.push(signal.reason.code))
          return (await all(updates)).length
        },
      },
    })
    const error = await failure(
      client.collect(
        0,
        (async function* () {
          yield 1
          throw cause
        })(),
      ),
    )
    expect(error).toMatchObject({ code: 'cancelled', cause })
    expect(reasons).toEqual(['cancelled'])
  })

  it.each(['collect', 'talk'] as const)(
    'fails with what an update cannot be sent for, as it is: %s',
    async (method) => {
      const tooBig = new RpcError('resource_exhausted', 'too big')
      let closed = false
      const { client } = bed({
        open(pair) {
          const channel = pair()
          const send = channel.send.bind(channel)
          channel.send = (message, last) => {
            if (message === 13) throw tooBig
            return send(message, last)
          }
          return channel
        },
      })
      function* updates(): Generator<number> {
        try {
          yield* [1, 13, 3]
        } finally {
          closed = true
        }
      }
      const outcome = method === 'collect' ? client.collect(0, updates()) : all(client.talk(1, updates()))
      expect(await failure(outcome)).toBe(tooBig)
      expect(closed).toBe(true)
    },
  )

  it('closes the iterable when the server answers early', async () => {
    let closed = false
    const { client } = bed({ handlers: { collect: async () => 7 } })
    const updates = (async function* () {
      try {
        for (let n = 0; ; n++) {
          await turns(1)
          yield n
        }
      } finally {
        closed = true
      }
    })()
    expect(await client.collect(0, updates)).toBe(7)
    await turns()
    expect(closed).toBe(true)
  })

  it('takes no more out of the iterable once the handler has left its loop', async () => {
    let taken = 0
    const { client } = bed({
      handlers: {
        async collect(_, updates) {
          for await (const _update of updates) break
          await turns()
          return 7
        },
      },
    })
    // Bounded, so that a client which goes on ends some day.
    function* updates(): Generator<number> {
      while (taken < 10_000) yield taken++
    }
    expect(await client.collect(0, updates())).toBe(7)
    expect(taken).toBeLessThan(1_000)
  })

  it('closes an iterable that fails to be closed, and no one hears of it', async () => {
    const { client } = bed({ handlers: { collect: () => 7 } })
    const source = (close: () => unknown): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({ next: never, return: close as () => Promise<IteratorResult<number>> }),
    })
    const found = await unhandled(async () => {
      expect(
        await client.collect(
          0,
          source(() => Promise.reject(denied)),
        ),
      ).toBe(7)
      await client.collect(
        0,
        source(() => {
          throw denied
        }),
      )
    })
    expect(found).toEqual([])
  })
})

describe('server streaming', () => {
  it('gives the responses by hand, the end after them', async () => {
    const { client } = bed()
    const call = client.produce(2)
    expect(await call.receive()).toBe(0)
    expect(await call.receive()).toBe(1)
    expect(call.ended).toBe(false)
    expect(await call.receive()).toBeUndefined()
    expect(call.ended).toBe(true)
  })

  it('gives responses that are undefined', async () => {
    const S = service('s', { voids: serverStreaming() })
    const { connector, listener } = createTransport()
    serve(S, { voids: () => [undefined, undefined] }, listener)
    expect(await all(createClient(S, connector).voids())).toEqual([undefined, undefined])
  })

  it('waits for a reader once the window is full', async () => {
    let produced = 0
    const { client } = bed({
      window: 4,
      handlers: {
        async *produce() {
          for (; produced < 100; produced++) yield produced
        },
      },
    })
    const call = client.produce(0)
    await call.started
    await turns(10)
    expect(produced).toBeLessThan(10)
    expect(await all(call)).toHaveLength(100)
  })

  it('tells a call that failed before its first response from one that failed halfway', async () => {
    const { client } = bed({
      handlers: {
        async *produce(count) {
          if (count > 0) yield 1
          throw denied
        },
      },
    })
    const atOnce = client.produce(0)
    expect((await failure(atOnce.started)).code).toBe('permission_denied')
    expect((await thrown(() => atOnce.receive())).code).toBe('permission_denied')
    const halfway = client.produce(1)
    await halfway.started
    expect(await halfway.receive()).toBe(1)
    expect((await thrown(() => halfway.receive())).code).toBe('permission_denied')
    await halfway.started
  })

  it('has started when an empty stream has ended', async () => {
    const { client } = bed()
    const call = client.produce(0)
    expect(await call.started).toBeUndefined()
    expect(await all(call)).toEqual([])
  })

  it('takes one reader at a time', async () => {
    const { client } = bed({
      handlers: {
        produce: async function* () {
          await never()
          yield 0
        },
      },
    })
    const call = client.produce(1)
    const first = call.receive()
    expect((await thrown(() => call.receive())).code).toBe('failed_precondition')
    call.cancel()
    expect((await failure(first)).code).toBe('cancelled')
  })

  it('knows its peer', async () => {
    const { client } = bed()
    const call = client.produce(1)
    expect(call.peer).toEqual({ transport: 'test', address: 'test:' })
    await all(call)
  })
})

describe('bidi streaming', () => {
  it('sends and receives by turns', async () => {
    const { client } = bed()
    const call = client.talk(3)
    await call.send(1)
    expect(await call.receive()).toBe(3)
    await call.send(2)
    expect(await call.receive()).toBe(6)
    call.end()
    expect(await call.receive()).toBeUndefined()
  })

  it('gives responses after the updates have ended', async () => {
    const { client } = bed({
      handlers: {
        async *talk(_, updates) {
          yield (await all(updates)).length
          yield -1
        },
      },
    })
    expect(await all(client.talk(1, [1, 2, 3]))).toEqual([3, -1])
  })

  it('refuses to send after end: failed_precondition; a second end is a no-op', async () => {
    const { client } = bed()
    const call = client.talk(1)
    call.end()
    call.end()
    expect((await thrown(() => call.send(1))).code).toBe('failed_precondition')
    expect((await thrown(() => call.trySend(1))).code).toBe('failed_precondition')
    expect(await all(call)).toEqual([])
  })

  it('drops updates without a word once the server has ended its responses', async () => {
    const { client } = bed({ handlers: { talk: () => [1] } })
    const call = client.talk(1)
    expect(await all(call)).toEqual([1])
    expect(call.send(1)).toBeUndefined()
    expect(call.trySend(1)).toBe(true)
    call.end()
  })
})

describe('notify', () => {
  it('settles once the request is handed over, while the handler runs', async () => {
    const ran: number[] = []
    const { client } = bed({
      handlers: {
        async tell(n) {
          ran.push(n)
          await never()
        },
      },
    })
    expect(await client.tell(1)).toBeUndefined()
    expect(await client.tell(2, { timeout: 60_000 })).toBeUndefined()
    expect(ran).toEqual([1, 2])
  })

  it('does not learn what became of it', async () => {
    const { client, errors } = bed({
      handlers: {
        tell() {
          throw new Error('lost')
        },
      },
    })
    expect(await client.tell(1)).toBeUndefined()
    expect(errors).toHaveLength(1)
  })

  it('waits until the transport has taken the request', async () => {
    const room = gate()
    const { client } = bed({
      open(pair) {
        const channel = pair()
        const send = channel.send.bind(channel)
        channel.send = (message, last) => {
          void send(message, last)
          return room.promise
        }
        return channel
      },
    })
    let settled = false
    const told = client.tell(1).then(() => {
      settled = true
    })
    await turns()
    expect(settled).toBe(false)
    room.resolve()
    await told
  })
})

describe('a call that nobody looks at', () => {
  const starts: [string, (client: ReturnType<typeof bed>['client'], options?: CallOptions) => unknown][] = [
    ['client streaming', (client, options) => client.collect(1, options)],
    ['client streaming, its response', (client, options) => client.collect(1, options).response],
    [
      'client streaming, a send that waits',
      (client, options) => {
        const call = client.collect(1, options)
        try {
          for (let n = 0; n < 4; n++) void call.send(n)
        } catch {
          // The call may be over by now.
        }
      },
    ],
    ['server streaming', (client, options) => client.produce(1, options)],
    ['server streaming, started', (client, options) => client.produce(1, options).started],
    ['bidi streaming', (client, options) => client.talk(1, options)],
    ['bidi streaming from an iterable', (client, options) => client.talk(1, [1, 2, 3, 4], options)],
  ]
  const ends: [string, Partial<Parameters<typeof bed>[0]>, CallOptions | undefined][] = [
    [
      'fails in the handler',
      {
        window: 1,
        handlers: {
          collect: () => Promise.reject(denied),
          produce: () => {
            throw denied
          },
          talk: () => {
            throw denied
          },
        },
      },
      undefined,
    ],
    ['cannot be opened', { open: () => Promise.reject(denied) }, undefined],
    ['is aborted before it begins', {}, { signal: AbortSignal.abort() }],
    ['is out of time before it begins', {}, { timeout: 0 }],
  ]
  const cases = ends.flatMap(([how, options, callOptions]) =>
    starts.map(([name, start]) => ({ how, options, callOptions, name, start })),
  )

  it.each(cases)('and that $how leaves no unhandled rejection: $name', async ({ options, callOptions, start }) => {
    expect(await unhandled(() => void start(bed(options).client, callOptions))).toEqual([])
  })

  it('and whose connection is lost leaves no unhandled rejection', async () => {
    const found = await unhandled(async () => {
      const { client, connector } = bed({ window: 1, handlers: { collect: never } })
      const call = client.collect(1)
      void call.response
      void call.send(1)
      void call.send(2)
      void client.produce(1000).started
      await connector.close()
    })
    expect(found).toEqual([])
  })
})

describe('a connector', () => {
  it('that is given to several clients serves them all', async () => {
    const { connector } = bed()
    const shared: Connector = connector
    const outer = createClient(Kit, shared)
    const inner = createClient(Kit.inner, shared)
    expect(await Promise.all([outer.call(1), inner.echo('a')])).toEqual([2, 'a'])
  })
})
