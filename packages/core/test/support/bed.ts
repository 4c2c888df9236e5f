import {
  bidiStreaming,
  type CallOptions,
  type Client,
  clientStreaming,
  createClient,
  type ErrorSource,
  type Handlers,
  type Interceptor,
  notify,
  type RpcError,
  type Server,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { createTransport, type Open, type Transport } from './transport.ts'
import { all } from './wait.ts'

/** A method of each pattern, and a nested service. */
export const Kit = service('kit', {
  call: unary<number, number>(),
  collect: clientStreaming<number, number, number>(),
  produce: serverStreaming<number, number>(),
  talk: bidiStreaming<number, number, number>(),
  tell: notify<number>(),
  inner: service('inner', { echo: unary<string, string>() }),
})

export type KitClient = Client<typeof Kit>

const DEFAULTS: Handlers<typeof Kit> = {
  call: (n) => n * 2,
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
  inner: { echo: (text) => text },
}

export interface BedOptions {
  readonly handlers?: Partial<Handlers<typeof Kit>>
  readonly clientInterceptors?: readonly Interceptor[]
  readonly serverInterceptors?: readonly Interceptor[]
  readonly maxAbandonedCalls?: number
  readonly open?: Open
  readonly window?: number
}

export interface Bed extends Transport {
  readonly client: KitClient & AsyncDisposable
  readonly server: Server
  /** What `onError` was told. */
  readonly errors: { readonly error: unknown; readonly source: ErrorSource }[]
}

/** A client and a server of {@link Kit}; handlers that a test does not give do arithmetic. */
export function bed(options: BedOptions = {}): Bed {
  const transport = createTransport(options.open, options.window)
  const errors: { error: unknown; source: ErrorSource }[] = []
  const server = serve(Kit, { ...DEFAULTS, ...options.handlers }, transport.listener, {
    interceptors: options.serverInterceptors ?? [],
    onError: (error, source) => errors.push({ error, source }),
    ...(options.maxAbandonedCalls !== undefined && { maxAbandonedCalls: options.maxAbandonedCalls }),
  })
  const client = createClient(Kit, transport.connector, { interceptors: options.clientInterceptors ?? [] })
  return { ...transport, client, server, errors }
}

/** One call in each way that a client can make it, to its end. */
export const CALLS: readonly {
  readonly name: string
  readonly method: string
  readonly run: (client: KitClient, options?: CallOptions) => Promise<unknown>
  /** What it gives with the default handlers. */
  readonly result: unknown
}[] = [
  { name: 'unary', method: 'kit/call', run: (client, options) => client.call(2, options), result: 4 },
  {
    name: 'client streaming',
    method: 'kit/collect',
    run: async (client, options) => {
      const call = client.collect(1, options)
      await call.send(2)
      return call.finish()
    },
    result: 3,
  },
  {
    name: 'client streaming from an iterable',
    method: 'kit/collect',
    run: (client, options) => client.collect(1, [2, 3], options),
    result: 6,
  },
  {
    name: 'server streaming',
    method: 'kit/produce',
    run: async (client, options) => all(client.produce(3, options)),
    result: [0, 1, 2],
  },
  {
    name: 'bidi streaming',
    method: 'kit/talk',
    run: async (client, options) => {
      const call = client.talk(2, options)
      await call.send(1)
      await call.send(2)
      call.end()
      return all(call)
    },
    result: [2, 4],
  },
  {
    name: 'bidi streaming from an iterable',
    method: 'kit/talk',
    run: async (client, options) => all(client.talk(2, [1, 2], options)),
    result: [2, 4],
  },
  { name: 'notify', method: 'kit/tell', run: (client, options) => client.tell(2, options), result: undefined },
]

/** Handlers that note that they run, and wait for their call to be cut short. */
export function hanging(): {
  readonly handlers: Partial<Handlers<typeof Kit>>
  readonly signals: AbortSignal[]
} {
  const signals: AbortSignal[] = []
  const wait = (signal: AbortSignal): Promise<never> => {
    signals.push(signal)
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason as RpcError)
      else signal.addEventListener('abort', () => reject(signal.reason as RpcError))
    })
  }
  return {
    signals,
    handlers: {
      call: (_, { signal }) => wait(signal),
      collect: (_, __, { signal }) => wait(signal),
      async *produce(_, { signal }) {
        yield await wait(signal)
      },
      async *talk(_, __, { signal }) {
        yield await wait(signal)
      },
      tell: (_, { signal }) => wait(signal),
    },
  }
}
