import {
  bidiStreaming,
  type Client,
  type Connector,
  createClient,
  type Handlers,
  type Server,
  serve,
  service,
  unary,
} from '@qrpc/core'
import { until } from '../wait.ts'
import type { Limits, NetworkCounters, NetworkUnderTest } from './network.ts'

/** What clients call while limits are tried. */
const Limited = service('limited', {
  /** Gives its request back. */
  echo: unary<unknown, unknown>(),
  /** Gives so many bytes. */
  bytes: unary<number, Uint8Array>(),
  /** Gives back the first update, and then reads no more until it is cancelled. */
  unread: bidiStreaming<void, Uint8Array, Uint8Array>(),
})

const handlers: Handlers<typeof Limited> = {
  echo: async (message) => message,
  bytes: async (size) => new Uint8Array(size),
  async *unread(_, updates, { signal }) {
    const iterator = updates[Symbol.asyncIterator]()
    const first = await iterator.next()
    if (!first.done) yield first.value
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  },
}

/** A client with its connection. */
export interface LimitedClient {
  readonly client: Client<typeof Limited>
  readonly connector: Connector & { readonly counters: NetworkCounters }
}

/** A server with limits, and any number of clients. */
export class LimitedSite implements AsyncDisposable {
  readonly address: string
  readonly counters: NetworkCounters
  readonly #network: NetworkUnderTest
  readonly #server: Server
  readonly #connectors: Connector[] = []

  private constructor(
    network: NetworkUnderTest,
    listener: Awaited<ReturnType<NetworkUnderTest['listen']>>,
    server: Server,
  ) {
    this.#network = network
    this.#server = server
    this.address = listener.addresses[0] as string
    this.counters = listener.counters
  }

  static async open(network: NetworkUnderTest, limits: Limits): Promise<LimitedSite> {
    const listener = await network.listen(limits)
    const server = serve(Limited, handlers, listener, { onError() {} })
    return new LimitedSite(network, listener, server)
  }

  /** A client that is not connected yet. */
  client(limits: Limits = {}): LimitedClient {
    const connector = this.#network.connect(this.address, limits)
    this.#connectors.push(connector)
    return { client: createClient(Limited, connector), connector }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connectors.map((connector) => connector.close()))
    await this.#server.close({ graceMs: 0 })
    await until(() => this.counters.connections === 0)
  }
}
