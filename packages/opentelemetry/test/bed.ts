import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { type DataPoint, DataPointType, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import {
  bidiStreaming,
  type CallOptions,
  type Client,
  type Connector,
  clientStreaming,
  createClient,
  type Handlers,
  type Listener,
  notify,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { clientTelemetry, serverTelemetry, type TelemetryOptions } from '@qrpc/opentelemetry'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'

/** A method of each pattern. */
export const Kit = service('kit', {
  call: unary<number, number>(),
  collect: clientStreaming<number, number, number>(),
  produce: serverStreaming<number, number>(),
  talk: bidiStreaming<number, number, number>(),
  tell: notify<number>(),
})

export type KitClient = Client<typeof Kit> & AsyncDisposable
export type KitHandlers = Handlers<typeof Kit>

const DEFAULTS: KitHandlers = {
  call: (n) => n,
  async collect(first, updates) {
    let sum = first
    for await (const n of updates) sum += n
    return sum
  },
  async *produce(count) {
    for (let n = 0; n < count; n++) yield n
  },
  async *talk(factor, updates) {
    for await (const n of updates) yield factor * n
  },
  tell() {},
}

/** One call of each pattern, to its end. */
export const CALLS: readonly {
  readonly name: keyof KitHandlers
  readonly run: (client: KitClient, options?: CallOptions) => Promise<unknown>
}[] = [
  { name: 'call', run: (client, options) => client.call(1, options) },
  { name: 'collect', run: (client, options) => client.collect(1, [2, 3], options) },
  { name: 'produce', run: (client, options) => drain(client.produce(3, options)) },
  { name: 'talk', run: (client, options) => drain(client.talk(2, [1, 2], options)) },
  { name: 'tell', run: (client, options) => client.tell(1, options) },
]

export const WAITING = CALLS.filter(({ name }) => name !== 'tell')

interface Transport {
  readonly connector: Connector
  readonly listener: Listener
}

export const TRANSPORTS: Readonly<Record<'mem' | 'http2', () => Promise<Transport>>> = {
  mem: async () => createMemoryTransport(),
  async http2() {
    const listener = await listenHttp2({ host: '127.0.0.1', port: 0 })
    return { listener, connector: connectHttp2(listener.addresses[0] as string) }
  },
}

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** A client and a server of {@link Kit}, and what the OpenTelemetry SDK has got of their calls. */
export class Bed implements AsyncDisposable {
  readonly client: KitClient
  readonly address: string
  readonly #server: AsyncDisposable
  readonly #exporter = new InMemorySpanExporter()
  readonly #spans = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] })
  readonly #reader = new Reader()
  readonly #meters = new MeterProvider({ readers: [this.#reader] })

  private constructor({ connector, listener }: Transport, handlers: Partial<KitHandlers>, options: TelemetryOptions) {
    const all: TelemetryOptions = {
      tracerProvider: this.#spans,
      meterProvider: this.#meters,
      propagator: new W3CTraceContextPropagator(),
      ...options,
    }
    this.address = connector.address
    this.#server = serve(Kit, { ...DEFAULTS, ...handlers }, listener, {
      interceptors: [serverTelemetry(all)],
      onError() {},
    })
    this.client = createClient(Kit, connector, { interceptors: [clientTelemetry(all)] })
  }

  static async open(
    transport: keyof typeof TRANSPORTS,
    handlers: Partial<KitHandlers> = {},
    options: TelemetryOptions = {},
  ): Promise<Bed> {
    return new Bed(await TRANSPORTS[transport](), handlers, options)
  }

  get tracer() {
    return this.#spans.getTracer('test')
  }

  /** The spans that have ended. */
  get ended(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  /** The client's and the server's span of the only call, once both have ended. */
  async pair(): Promise<{ client: ReadableSpan; server: ReadableSpan }> {
    await this.spans(2)
    const [client, server] = this.ended.toSorted((a, b) => a.kind - b.kind).toReversed() as [ReadableSpan, ReadableSpan]
    return { client, server }
  }

  /** Resolves once so many spans have ended. */
  async spans(count: number): Promise<void> {
    const end = performance.now() + 15_000
    while (this.ended.length < count) {
      if (performance.now() > end) throw new Error(`${this.ended.length} of ${count} spans have ended`)
      await turn()
    }
  }

  /** What was recorded in a histogram. */
  async points(name: string): Promise<readonly DataPoint<Histogram>[]> {
    const { resourceMetrics } = await this.#reader.collect()
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    return all
      .filter((metric) => metric.dataPointType === DataPointType.HISTOGRAM)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
    await this.#server[Symbol.asyncDispose]()
    await this.#spans.shutdown()
    await this.#meters.shutdown()
  }
}

/** Gives promises and I/O their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function drain(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}
