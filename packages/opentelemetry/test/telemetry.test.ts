import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createClient, type Metadata, RpcError, serve, service } from '@qrpc/core'
import { clientTelemetry, type TelemetryOptions } from '@qrpc/opentelemetry'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bed, CALLS, Kit, type KitHandlers, TRANSPORTS, turn, WAITING } from './bed.ts'

const CLIENT_DURATION = 'rpc.client.call.duration'
const SERVER_DURATION = 'rpc.server.call.duration'

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})

afterAll(() => context.disable())

function never(): Promise<never> {
  return new Promise(() => {})
}

/** Handlers that wait until their call is cut short, and the call that they are waiting in. */
function hanging() {
  let begun!: () => void
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const hang = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      begun()
    })
  return {
    running,
    handlers: {
      call: (_: number, { signal }: { signal: AbortSignal }) => hang(signal),
      collect: (_: number, __: unknown, { signal }: { signal: AbortSignal }) => hang(signal),
      async *produce(_: number, { signal }: { signal: AbortSignal }) {
        yield 1
        await hang(signal)
      },
      async *talk(_: number, __: unknown, { signal }: { signal: AbortSignal }) {
        yield 1
        await hang(signal)
      },
    },
  }
}

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])('over %s', (transport) => {
  it.each(CALLS)(
    'a call that went well has a span on each side, one the child of the other: $name',
    async ({ name, run }) => {
      await using bed = await Bed.open(transport)
      await run(bed.client)
      const { client, server } = await bed.pair()
      expect(client).toMatchObject({
        name: `kit/${name}`,
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.UNSET },
        parentSpanContext: undefined,
        events: [],
      })
      const { traceId, spanId } = client.spanContext()
      expect(server).toMatchObject({
        name: `kit/${name}`,
        kind: SpanKind.SERVER,
        status: { code: SpanStatusCode.UNSET },
        parentSpanContext: { traceId, spanId, isRemote: true },
        events: [],
      })
      for (const span of [client, server]) {
        expect(span.attributes).toMatchObject({
          'rpc.system.name': 'qrpc',
          'rpc.method': `kit/${name}`,
          'rpc.status_code': 'ok',
        })
        expect(span.attributes).not.toHaveProperty('error.type')
        expect(span.ended).toBe(true)
      }
    },
  )

  it.each(CALLS)('is measured on each side, in seconds: $name', async ({ name, run }) => {
    await using bed = await Bed.open(transport)
    await run(bed.client)
    await bed.pair()
    for (const metric of [CLIENT_DURATION, SERVER_DURATION]) {
      const points = await bed.points(metric)
      expect(points).toHaveLength(1)
      expect(points[0]?.attributes).toMatchObject({
        'rpc.system.name': 'qrpc',
        'rpc.method': `kit/${name}`,
        'rpc.status_code': 'ok',
      })
      expect(points[0]?.value.count).toBe(1)
      expect(points[0]?.value.buckets.boundaries[0]).toBe(0.005)
      expect(points[0]?.value.sum).toBeGreaterThan(0)
    }
  })

  it.each(WAITING)(
    'a failure is told on both sides, as an error of the server only where it is its own: $name',
    async ({ name, run }) => {
      const fail = (): never => {
        throw new RpcError('not_found', 'gone')
      }
      await using bed = await Bed.open(transport, { [name]: fail })
      await expect(run(bed.client)).rejects.toMatchObject({ code: 'not_found' })
      const { client, server } = await bed.pair()
      expect(client.status).toEqual({ code: SpanStatusCode.ERROR, message: 'gone' })
      expect(client.attributes).toMatchObject({ 'rpc.status_code': 'not_found', 'error.type': 'not_found' })
      expect(client.events.map(({ name: event }) => event)).toEqual(['exception'])
      expect(server.status).toEqual({ code: SpanStatusCode.UNSET })
      expect(server.attributes).toMatchObject({ 'rpc.status_code': 'not_found' })
      expect(server.attributes).not.toHaveProperty('error.type')
      const [point] = await bed.points(CLIENT_DURATION)
      expect(point?.attributes).toMatchObject({ 'rpc.status_code': 'not_found', 'error.type': 'not_found' })
    },
  )

  it.each(WAITING)("what a handler throws by mistake is in the server's span alone: $name", async ({ name, run }) => {
    const fail = (): never => {
      throw new TypeError('secret')
    }
    await using bed = await Bed.open(transport, { [name]: fail })
    await expect(run(bed.client)).rejects.toMatchObject({ code: 'internal' })
    const { client, server } = await bed.pair()
    expect(server.status.code).toBe(SpanStatusCode.ERROR)
    expect(server.attributes).toMatchObject({ 'rpc.status_code': 'internal', 'error.type': 'internal' })
    expect(server.events[0]?.attributes).toMatchObject({ 'exception.type': 'TypeError', 'exception.message': 'secret' })
    expect(JSON.stringify([client.status, client.attributes, client.events])).not.toContain('secret')
  })

  it.each(WAITING)('a cancelled call ends its spans: $name', async ({ run }) => {
    const { handlers, running } = hanging()
    await using bed = await Bed.open(transport, handlers)
    const abort = new AbortController()
    const outcome = run(bed.client, { signal: abort.signal })
    await running
    expect(bed.ended).toEqual([])
    abort.abort()
    await expect(outcome).rejects.toMatchObject({ code: 'cancelled' })
    const { client, server } = await bed.pair()
    expect(client.attributes['rpc.status_code']).toBe('cancelled')
    expect(server.attributes['rpc.status_code']).toBe('cancelled')
    expect(server.status.code).toBe(SpanStatusCode.UNSET)
  })

  it('a stream that fails halfway ends its spans with what it failed with', async () => {
    await using bed = await Bed.open(transport, {
      async *produce() {
        yield 1
        throw new RpcError('data_loss')
      },
    })
    const call = bed.client.produce(1)
    await call.started
    expect(await call.receive()).toBe(1)
    await expect((async () => call.receive())()).rejects.toMatchObject({ code: 'data_loss' })
    const { client, server } = await bed.pair()
    expect(client.attributes['error.type']).toBe('data_loss')
    expect(server.attributes['error.type']).toBe('data_loss')
  })

  it('a stream that is left ends its spans', async () => {
    await using bed = await Bed.open(transport, {
      async *produce() {
        for (let n = 0; ; n++) yield n
      },
    })
    for await (const _ of bed.client.produce(0)) break
    const { client, server } = await bed.pair()
    expect(client.attributes['rpc.status_code']).toBe('cancelled')
    expect(server.attributes['rpc.status_code']).toBe('cancelled')
  })

  it('the span of a stream is open as long as the stream', async () => {
    await using bed = await Bed.open(transport)
    const call = bed.client.talk(2)
    await call.send(1)
    expect(await call.receive()).toBe(2)
    await turn()
    expect(bed.ended).toEqual([])
    call.end()
    expect(await call.receive()).toBeUndefined()
    await bed.pair()
  })

  it.each(CALLS)(
    'the span of the caller is the parent, and that of the server is active in the handler: $name',
    async ({ name, run }) => {
      const seen: unknown[] = []
      const look = (): void => {
        seen.push(trace.getSpan(context.active())?.spanContext().spanId)
      }
      await using bed = await Bed.open(transport, {
        async call(n) {
          look()
          await turn()
          look()
          return n
        },
        async collect(_, updates) {
          for await (const _update of updates) look()
          return 1
        },
        async *produce(count) {
          for (let n = 0; n < count; n++) {
            look()
            await turn()
            yield n
          }
        },
        async *talk(_, updates) {
          for await (const n of updates) {
            look()
            yield n
          }
        },
        tell: look,
      })
      const own = bed.tracer.startSpan('own')
      await context.with(trace.setSpan(ROOT_CONTEXT, own), () => run(bed.client))
      const { client, server } = await bed.pair()
      expect(client.parentSpanContext?.spanId).toBe(own.spanContext().spanId)
      expect(server.parentSpanContext?.spanId).toBe(client.spanContext().spanId)
      expect(server.name).toBe(`kit/${name}`)
      expect(seen.length).toBeGreaterThan(0)
      expect(new Set(seen)).toEqual(new Set([server.spanContext().spanId]))
    },
  )
})

// In one process the handler is called at once: over a network, the time may be over before it is.
it.each(WAITING)('a deadline that passes ends its spans: $name', async ({ run }) => {
  await using bed = await Bed.open('mem', {
    call: never,
    collect: never,
    produce: never as never,
    talk: never as never,
  })
  await expect(run(bed.client, { timeout: 50 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
  const { client, server } = await bed.pair()
  expect(client.attributes['rpc.status_code']).toBe('deadline_exceeded')
  expect(server.attributes['rpc.status_code']).toBe('deadline_exceeded')
  expect(server.status.code).toBe(SpanStatusCode.ERROR)
})

it('calls that run side by side keep their contexts apart', async () => {
  await using bed = await Bed.open('http2', {
    async call(n) {
      await turn()
      bed.tracer.startSpan(`work ${n}`).end()
      return n
    },
  })
  await Promise.all(Array.from({ length: 20 }, (_, n) => bed.client.call(n)))
  await bed.spans(60)
  const servers = bed.ended.filter(({ kind }) => kind === SpanKind.SERVER).map((span) => span.spanContext().spanId)
  const work = bed.ended.filter(({ name }) => name.startsWith('work'))
  expect(new Set(work.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(new Set(servers))
})

it('each side knows where the other is', async () => {
  await using bed = await Bed.open('http2')
  await bed.client.call(1)
  const { client, server } = await bed.pair()
  const { hostname, port } = new URL(bed.address)
  expect(client.attributes).toMatchObject({
    'server.address': hostname,
    'server.port': Number(port),
    'network.transport': 'tcp',
  })
  expect(server.attributes).toMatchObject({
    'client.address': '127.0.0.1',
    'client.port': expect.any(Number),
    'network.transport': 'tcp',
  })
})

it('what is nowhere to be reached has a span, too', async () => {
  await using bed = await Bed.open('mem')
  await bed.client[Symbol.asyncDispose]()
  await expect(bed.client.call(1)).rejects.toMatchObject({ code: 'failed_precondition' })
  expect(bed.ended.map(({ attributes }) => attributes['error.type'])).toEqual(['failed_precondition'])
})

it('a span has the attributes that the app gives it, and the histogram has not', async () => {
  await using bed = await Bed.open('mem', {}, { attributes: ({ request }) => ({ 'app.request': Number(request) }) })
  await bed.client.call(7)
  const { client, server } = await bed.pair()
  expect(client.attributes['app.request']).toBe(7)
  expect(server.attributes['app.request']).toBe(7)
  const [point] = await bed.points(CLIENT_DURATION)
  expect(point?.attributes).not.toHaveProperty('app.request')
})

it('metadata of others goes by untouched', async () => {
  const seen: unknown[] = []
  await using bed = await Bed.open('http2', {
    call(n, { metadata }) {
      seen.push(Object.fromEntries(metadata))
      return n
    },
  })
  await bed.client.call(1, { metadata: { own: 'x', bytes: new Uint8Array([1]) } })
  expect(seen).toEqual([
    {
      own: 'x',
      bytes: new Uint8Array([1]),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    },
  ])
})

it('a client without telemetry is served with a span of its own', async () => {
  await using bed = await Bed.open('mem', {}, { propagator: { inject() {}, extract: (from) => from } })
  await bed.client.call(1)
  const { server } = await bed.pair()
  expect(server.parentSpanContext).toBeUndefined()
})

it('a traceparent in bytes is none', async () => {
  const w3c = new W3CTraceContextPropagator()
  const inBytes: NonNullable<TelemetryOptions['propagator']> = {
    inject: (_, carrier) => (carrier as Metadata).set('traceparent', new Uint8Array([1])),
    extract: (from, carrier, getter) => w3c.extract(from, carrier, getter),
  }
  await using bed = await Bed.open('mem', {}, { propagator: inBytes })
  await bed.client.call(1)
  const { server } = await bed.pair()
  expect(server.parentSpanContext).toBeUndefined()
})

it('uses the providers and the propagator of the app, also where they are set after the interceptor was made', async () => {
  const interceptor = clientTelemetry()
  const exporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  try {
    const seen: unknown[] = []
    const { connector, listener } = createMemoryTransport()
    const call: KitHandlers['call'] = (n, { metadata }) => {
      seen.push(metadata.get('traceparent'))
      return n
    }
    await using _server = serve(service('s', { call: Kit.call }), { call }, listener)
    await using client = createClient(service('s', { call: Kit.call }), connector, { interceptors: [interceptor] })
    await client.call(1)
    const [span] = exporter.getFinishedSpans()
    expect(seen).toEqual([expect.stringContaining(span?.spanContext().spanId ?? 'none')])
  } finally {
    trace.disable()
    propagation.disable()
  }
})
