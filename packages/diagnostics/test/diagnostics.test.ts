import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  bidiStreaming,
  clientStreaming,
  createClient,
  type Handlers,
  type Interceptor,
  notify,
  RpcError,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { CALL_END, CALL_START, CallCounters, type CallEnded, type CallStarted, callEvents } from '@qrpc/diagnostics'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const Kit = service('kit', {
  call: unary<number, number>(),
  collect: clientStreaming<void, number, number>(),
  produce: serverStreaming<number, number>(),
  talk: bidiStreaming<void, number, number>(),
  tell: notify<number>(),
})

const handlers: Handlers<typeof Kit> = {
  call(n) {
    if (n < 0) throw new RpcError('out_of_range')
    return n
  },
  async collect(_, updates) {
    let sum = 0
    for await (const n of updates) sum += n
    return sum
  },
  async *produce(count) {
    for (let n = 0; n < count; n++) yield n
  },
  async *talk(_, updates) {
    yield* updates
  },
  tell() {},
}

const TRANSPORTS = {
  mem: async () => createMemoryTransport(),
  async http2() {
    const listener = await listenHttp2({ host: '127.0.0.1', port: 0 })
    return { listener, connector: connectHttp2(listener.addresses[0] as string) }
  },
}

async function open(transport: keyof typeof TRANSPORTS, client: Interceptor[], server: Interceptor[]) {
  const { connector, listener } = await TRANSPORTS[transport]()
  const serving = serve(Kit, handlers, listener, { interceptors: server })
  const calls = createClient(Kit, connector, { interceptors: client })
  return {
    calls,
    async [Symbol.asyncDispose]() {
      await calls[Symbol.asyncDispose]()
      // What was asked for is done, a notify included.
      await serving.close()
    },
  }
}

/** A call of each pattern, and one that fails. */
async function callAll(transport: keyof typeof TRANSPORTS, client: Interceptor[], server: Interceptor[]) {
  await using bed = await open(transport, client, server)
  await bed.calls.call(1)
  await expect(bed.calls.call(-1)).rejects.toMatchObject({ code: 'out_of_range' })
  await bed.calls.collect(undefined, [1, 2, 3])
  for await (const _ of bed.calls.produce(2));
  for await (const _ of bed.calls.talk(undefined, [1, 2]));
  await bed.calls.tell(1)
  // Comes after the notify, on a transport that keeps the order of calls or not.
  await bed.calls.call(1)
}

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])('over %s', (transport) => {
  describe('events', () => {
    const started: CallStarted[] = []
    const ended: CallEnded[] = []
    const onStart = (message: unknown): void => {
      started.push(message as CallStarted)
    }
    const onEnd = (message: unknown): void => {
      ended.push(message as CallEnded)
    }

    beforeEach(() => {
      started.length = 0
      ended.length = 0
      subscribe(CALL_START, onStart)
      subscribe(CALL_END, onEnd)
    })

    afterEach(() => {
      unsubscribe(CALL_START, onStart)
      unsubscribe(CALL_END, onEnd)
    })

    it('tell of each call on the side that was asked for', async () => {
      await callAll(transport, [callEvents('client')], [])
      expect(started.map(({ side, method, pattern }) => [side, method, pattern])).toEqual([
        ['client', 'kit/call', 'unary'],
        ['client', 'kit/call', 'unary'],
        ['client', 'kit/collect', 'clientStreaming'],
        ['client', 'kit/produce', 'serverStreaming'],
        ['client', 'kit/talk', 'bidiStreaming'],
        ['client', 'kit/tell', 'notify'],
        ['client', 'kit/call', 'unary'],
      ])
      expect(ended.map(({ method, code, updates, responses }) => [method, code, updates, responses])).toEqual([
        ['kit/call', 'ok', 0, 1],
        ['kit/call', 'out_of_range', 0, 0],
        ['kit/collect', 'ok', 3, 1],
        ['kit/produce', 'ok', 0, 2],
        ['kit/talk', 'ok', 2, 2],
        ['kit/tell', 'ok', 0, 0],
        ['kit/call', 'ok', 0, 1],
      ])
      expect(ended.map((end) => end.started)).toEqual(started)
      for (const { peer, durationMs, error, code } of ended) {
        expect(peer?.transport).toBe(transport)
        expect(durationMs).toBeGreaterThan(0)
        expect(error?.code ?? 'ok').toBe(code)
      }
    })

    it('tell of both sides', async () => {
      await callAll(transport, [callEvents('client')], [callEvents('server')])
      const ofServer = ended.filter(({ side }) => side === 'server')
      const words = ofServer.map(({ method, code, updates, responses }) => [method, code, updates, responses].join(' '))
      expect(words.toSorted()).toEqual([
        'kit/call ok 0 1',
        'kit/call ok 0 1',
        'kit/call out_of_range 0 0',
        'kit/collect ok 3 1',
        'kit/produce ok 0 2',
        'kit/talk ok 2 2',
        'kit/tell ok 0 0',
      ])
      expect(new Set(ofServer.map(({ started: { peer } }) => peer?.transport))).toEqual(new Set([transport]))
    })
  })

  it('counters count', async () => {
    const client = new CallCounters()
    const server = new CallCounters()
    await callAll(transport, [client.interceptor], [server.interceptor])
    const expected = {
      'kit/call': { started: 3, running: 0, ended: { ok: 2, out_of_range: 1 }, updates: 0, responses: 2 },
      'kit/collect': { started: 1, running: 0, ended: { ok: 1 }, updates: 3, responses: 1 },
      'kit/produce': { started: 1, running: 0, ended: { ok: 1 }, updates: 0, responses: 2 },
      'kit/talk': { started: 1, running: 0, ended: { ok: 1 }, updates: 2, responses: 2 },
      'kit/tell': { started: 1, running: 0, ended: { ok: 1 }, updates: 0, responses: 0 },
    }
    expect(client.read()).toEqual(expected)
    expect(server.read()).toEqual(expected)
  })

  it('counters know what is running', async () => {
    const counters = new CallCounters()
    await using bed = await open(transport, [counters.interceptor], [])
    using call = bed.calls.talk()
    await call.send(1)
    await call.receive()
    expect(counters.read()).toEqual({
      'kit/talk': { started: 1, running: 1, ended: {}, updates: 1, responses: 1 },
    })
    call.cancel()
    await expect((async () => call.receive())()).rejects.toMatchObject({ code: 'cancelled' })
    expect(counters.read()['kit/talk']).toMatchObject({ running: 0, ended: { cancelled: 1 } })
  })

  it('counters have no entry for methods that are not there', async () => {
    const counters = new CallCounters()
    const { connector, listener } = await TRANSPORTS[transport]()
    await using _server = serve(Kit, handlers, listener, { interceptors: [counters.interceptor], onError() {} })
    await using client = createClient(service('kit', { other: unary() }), connector)
    await expect(client.other()).rejects.toMatchObject({ code: 'unimplemented' })
    expect(counters.read()).toEqual({})
  })
})

it('nobody hears of the end of a call that started before anybody subscribed', async () => {
  const ended: unknown[] = []
  const onEnd = (message: unknown): void => {
    ended.push((message as CallEnded).method)
  }
  await using bed = await open('mem', [callEvents('client')], [callEvents('server')])
  using call = bed.calls.talk()
  await call.send(1)
  await call.receive()
  subscribe(CALL_END, onEnd)
  try {
    expect(await bed.calls.call(1)).toBe(1)
    call.end()
    expect(await call.receive()).toBeUndefined()
    expect(ended).toEqual(['kit/call', 'kit/call'])
  } finally {
    unsubscribe(CALL_END, onEnd)
  }
})
