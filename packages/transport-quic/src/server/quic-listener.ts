import type { Channel, CloseOptions, Listener } from '@qrpc/core'
import { AcceptQueue, type Counters, type TransportCounters } from '@qrpc/wire'
import type { Config } from '../binding.ts'
import { Acceptor, type AcceptorSettings } from '../endpoint/acceptor.ts'
import type { Endpoint } from '../endpoint/endpoint.ts'
import type { ServerCredentials } from '../tls/credentials.ts'
import { ServerConnection, type ServerConnectionSettings } from './server-connection.ts'

const DEFAULT_GRACE_MS = 5000

/** What a listener needs to know. */
export interface QuicListenerSettings extends AcceptorSettings, ServerConnectionSettings {
  readonly counters: Counters
  /** The config of connections with these credentials. */
  readonly configFor: (tls: ServerCredentials) => Config
}

/** Accepts channels over QUIC. */
export class QuicListener implements Listener {
  readonly addresses: readonly string[]
  /** What its connections have come to so far. */
  readonly counters: TransportCounters
  readonly #endpoint: Endpoint
  readonly #ownsEndpoint: boolean
  readonly #connections = new Set<ServerConnection>()
  readonly #accepted = new AcceptQueue()
  readonly #settings: QuicListenerSettings
  readonly #acceptor: Acceptor

  constructor(endpoint: Endpoint, ownsEndpoint: boolean, settings: QuicListenerSettings, addresses: readonly string[]) {
    this.#endpoint = endpoint
    this.#ownsEndpoint = ownsEndpoint
    this.#settings = settings
    this.addresses = addresses
    this.counters = settings.counters
    this.#acceptor = new Acceptor(endpoint, settings, (connect) => {
      const connection = new ServerConnection(
        connect,
        settings,
        {
          onAccepted: (channel) => this.#accepted.add(channel),
          onGone: (channel) => this.#accepted.forget(channel),
        },
        (gone) => this.#connections.delete(gone),
      )
      this.#connections.add(connection)
    })
    endpoint.accept = this.#acceptor.accept
  }

  /**
   * Replaces certificate, key and authorities, as before the certificate expires. Connections that are there go on;
   * session tickets stay good.
   *
   * @throws RpcError `invalid_argument` for credentials that make no sense: then those from before stay.
   */
  setSecureContext(tls: ServerCredentials): void {
    this.#settings.config = this.#settings.configFor(tls)
  }

  accept(): Promise<Channel | undefined> {
    return this.#accepted.accept()
  }

  onChannel(callback: (channel: Channel) => void): void {
    this.#accepted.onChannel(callback)
  }

  [Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    return this.#accepted[Symbol.asyncIterator]()
  }

  async close({ graceMs = DEFAULT_GRACE_MS }: CloseOptions = {}): Promise<void> {
    this.#accepted.close()
    this.#acceptor.close()
    const connections = [...this.#connections]
    for (const connection of connections) connection.retire()
    await Promise.all(connections.map((connection) => connection.close(graceMs)))
    // Another listener may have taken its place by now.
    if (this.#endpoint.accept === this.#acceptor.accept) this.#endpoint.accept = undefined
    if (this.#ownsEndpoint) await this.#endpoint.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
