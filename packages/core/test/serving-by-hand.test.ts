import {
  type Channel,
  createChannelPair,
  createClient,
  createRouter,
  type Request,
  RpcError,
  readRequest,
  serve,
  service,
  unary,
} from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, CALLS, Kit } from './support/bed.ts'
import { createTransport } from './support/transport.ts'
import { all, failure, gate, thrown, turns, unhandled } from './support/wait.ts'

const A = service('a', { name: unary<void, string>() })
const B = service('b', { name: unary<void, string>() })

const request = (method: string, message?: unknown): Request => ({
  method,
  metadata: undefined,
  timeout: undefined,
  message,
})

describe('a router', () => {
  it('serves the channels of an accept loop', async () => {
    const { connector, listener } = createTransport()
    const router = createRouter(A, { name: () => 'a' })
    const loop = (async () => {
      for (let channel = await listener.accept(); channel; channel = await listener.accept()) router.handle(channel)
    })()
    const client = createClient(A, connector)
    expect(await client.name()).toBe('a')
    expect(await client.name()).toBe('a')
    await listener.close()
    await loop
  })

  it('serves the channels of a loop over the listener', async () => {
    const { connector, listener } = createTransport()
    const router = createRouter(A, { name: () => 'a' })
    const loop = (async () => {
      for await (const channel of listener) router.handle(channel)
    })()
    expect(await createClient(A, connector).name()).toBe('a')
    await listener.close()
    await loop
  })

  it('is one of several that share a listener, each with its own contract', async () => {
    const { connector, listener } = createTransport()
    const routers = { a: createRouter(A, { name: () => 'served by a' }), b: createRouter(B, { name: () => 'by b' }) }
    const route = async (channel: Channel): Promise<void> => {
      const first = await readRequest(channel)
      const [name] = first.method.split('/')
      routers[name as 'a' | 'b'].dispatch(channel, first)
    }
    listener.onChannel((channel) => void route(channel))
    expect(await createClient(A, connector).name()).toBe('served by a')
    expect(await createClient(B, connector).name()).toBe('by b')
  })

  it('answers a request that was read and changed by hand', async () => {
    const { connector, listener } = createTransport()
    const router = createRouter(A, { name: () => 'a' })
    const renamed = async (channel: Channel): Promise<void> => {
      const first = await readRequest(channel)
      router.dispatch(channel, { ...first, method: first.method.replace('b/', 'a/') })
    }
    listener.onChannel((channel) => void renamed(channel))
    expect(await createClient(B, connector).name()).toBe('a')
  })

  it('does not mind channels whose request comes late, and answers the others meanwhile', async () => {
    const router = createRouter(A, { name: () => 'a' })
    const [slow, slowServer] = createChannelPair()
    const [fast, fastServer] = createChannelPair()
    router.handle(slowServer)
    router.handle(fastServer)
    void fast.send(request('a/name'), true)
    expect(await fast.receiveOnly()).toBe('a')
    void slow.send(request('a/name'), true)
    expect(await slow.receiveOnly()).toBe('a')
  })

  it('answers in the turn in which the request came, where the handler does', () => {
    const router = createRouter(A, { name: () => 'a' })
    const [client, server] = createChannelPair()
    void client.send(request('a/name'), true)
    router.handle(server)
    expect(client.receive()).toBe('a')
    expect(client.receive()).toBeUndefined()
    expect(client.ended).toBe(true)
  })

  it.each(['nope', '', 'a', 'a/', 'a/other', 'b/name', 'a/toString', 'a/__proto__'])(
    'answers the unknown method %j with unimplemented and tells onError',
    async (method) => {
      const errors: unknown[] = []
      const router = createRouter(A, { name: () => 'a' }, { onError: (error, source) => errors.push([error, source]) })
      const [client, server] = createChannelPair()
      void client.send(request(method), true)
      router.handle(server)
      expect((await failure(client.receiveOnly())).code).toBe('unimplemented')
      expect(errors).toMatchObject([[{ code: 'unimplemented' }, { method, peer: { transport: 'mem' } }]])
    },
  )
})

const senseless: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['text', 'a/name'],
  ['bytes', new Uint8Array(3)],
  ['an array', []],
  ['no method', {}],
  ['a method that is no text', { method: 5 }],
  ['a timeout that is no number', { method: 'a/name', timeout: '5' }],
  ['a negative timeout', { method: 'a/name', timeout: -1 }],
  ['a timeout that is NaN', { method: 'a/name', timeout: Number.NaN }],
  ['metadata that is no list', { method: 'a/name', metadata: { k: 'v' } }],
  ['metadata of no pairs', { method: 'a/name', metadata: ['k'] }],
  ['metadata of longer lists', { method: 'a/name', metadata: [['k', 'v', 'w']] }],
  ['metadata with a key that is no text', { method: 'a/name', metadata: [[1, 'v']] }],
  ['metadata with a value that is neither text nor bytes', { method: 'a/name', metadata: [['k', 1]] }],
]

describe('a first message that is no request', () => {
  it.each(senseless)('is refused with invalid_argument, and onError is told: %s', async (_, message) => {
    for (const early of [true, false]) {
      const errors: unknown[] = []
      const router = createRouter(A, { name: () => 'a' }, { onError: (error, source) => errors.push([error, source]) })
      const [client, server] = createChannelPair()
      if (early) void client.send(message)
      router.handle(server)
      if (!early) void client.send(message)
      expect((await failure(client.receiveOnly())).code).toBe('invalid_argument')
      expect((await thrown(() => client.send(1))).code).toBe('invalid_argument')
      expect(errors).toMatchObject([[{ code: 'invalid_argument' }, { method: undefined }]])
    }
  })

  it.each(senseless)('fails readRequest: %s', async (_, message) => {
    const [client, server] = createChannelPair()
    void client.send(message)
    expect((await thrown(() => readRequest(server))).code).toBe('invalid_argument')
    const [lateClient, lateServer] = createChannelPair()
    const late = failure(readRequest(lateServer))
    void lateClient.send(message)
    expect((await late).code).toBe('invalid_argument')
  })

  it('is one that never comes: the client ends without it', async () => {
    const [client, server] = createChannelPair()
    createRouter(A, { name: () => 'a' }, { onError() {} }).handle(server)
    client.end()
    expect((await failure(client.receiveOnly())).code).toBe('invalid_argument')
  })

  it('leaves the server as it was when the client cancels before it', async () => {
    const errors: unknown[] = []
    const found = await unhandled(() => {
      const [client, server] = createChannelPair()
      createRouter(A, { name: () => 'a' }, { onError: (error) => errors.push(error) }).handle(server)
      client.cancel(new RpcError('cancelled'))
    })
    expect(found).toEqual([])
    expect(errors).toMatchObject([{ code: 'cancelled' }])
  })
})

describe('a client driven by hand', () => {
  async function open(...args: Parameters<typeof bed>): Promise<{ channel: Channel } & ReturnType<typeof bed>> {
    const given = bed(...args)
    return { ...given, channel: await given.connector.open() }
  }

  it('makes a call', async () => {
    const { channel } = await open()
    void channel.send(request('kit/talk', 3))
    void channel.send(1)
    void channel.send(2, true)
    expect(await all(channel)).toEqual([3, 6])
  })

  it.each(['kit/call', 'kit/produce', 'kit/tell'])(
    'may send no second message to %s: invalid_argument',
    async (method) => {
      const { channel, errors } = await open({
        handlers: {
          call: () => new Promise(() => {}),
          async *produce(_, { signal }) {
            await new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason as RpcError)),
            )
            yield 0
          },
          tell: () => new Promise(() => {}),
        },
      })
      void channel.send(request(method, 1))
      void channel.send('extra')
      const error = await failure(channel.receiveOnly())
      expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(method) })
      expect(errors).toMatchObject([{ error: { code: 'invalid_argument' }, source: { method } }])
    },
  )

  it('may not have its second message taken for an end, though it is undefined', async () => {
    const { channel } = await open({ handlers: { call: () => new Promise(() => {}) } })
    void channel.send(request('kit/call', 1))
    void channel.send(undefined)
    expect((await failure(channel.receiveOnly())).code).toBe('invalid_argument')
  })

  it('may end its half after the request, or never', async () => {
    const later = await open()
    void later.channel.send(request('kit/call', 2))
    later.channel.end()
    expect(await later.channel.receiveOnly()).toBe(4)
    const open2 = await open()
    void open2.channel.send(request('kit/call', 2))
    expect(await open2.channel.receiveOnly()).toBe(4)
    await turns()
    expect(open2.size()).toBe(0)
  })

  it('that ends its updates with an error makes them throw that at the handler', async () => {
    const seen = gate<unknown>()
    const { channel } = await open({
      handlers: {
        async collect(_, updates) {
          try {
            for await (const _update of updates);
          } catch (error) {
            seen.resolve(error)
          }
          return 5
        },
      },
    })
    void channel.send(request('kit/collect', 0))
    channel.end(new RpcError('data_loss', 'the file ended'))
    expect(await seen.promise).toMatchObject({ code: 'data_loss' })
    expect(await channel.receiveOnly()).toBe(5)
  })
})

describe('a server', () => {
  it('has the addresses of its listener', () => {
    expect(bed().server.addresses).toEqual(['test:'])
  })

  it('accepts nothing more once it closes, and lets running calls end', async () => {
    const finish = gate<number>()
    const { client, server, closes } = bed({ handlers: { call: () => finish.promise } })
    const running = client.call(1)
    let closed = false
    const closing = server.close({ graceMs: 60_000 }).then(() => {
      closed = true
    })
    expect((await failure(client.call(2))).code).toBe('unavailable')
    expect(closed).toBe(false)
    finish.resolve(7)
    expect(await running).toBe(7)
    await closing
    expect(closes).toEqual([{ graceMs: 60_000 }])
  })

  it.each(CALLS.filter(({ name }) => name !== 'notify'))(
    'cuts off calls that outlast the grace: $name',
    async ({ run }) => {
      const reasons: unknown[] = []
      const { client, server } = bed({
        serverInterceptors: [
          ({ signal }) => {
            signal.addEventListener('abort', () => reasons.push(signal.reason))
            return new Promise(() => {})
          },
        ],
      })
      const outcome = failure(run(client))
      await turns()
      await server.close({ graceMs: 0 })
      expect((await outcome).code).toBe('unavailable')
      expect(reasons).toMatchObject([{ code: 'unavailable' }])
    },
  )

  it('closes its listener when it is disposed of', async () => {
    const { connector, listener, closes } = createTransport()
    {
      await using server = serve(Kit.inner, { echo: (text) => text }, listener)
      expect(server.addresses).toEqual(['test:'])
    }
    expect(closes).toHaveLength(1)
    expect((await thrown(() => connector.open())).code).toBe('unavailable')
  })
})
