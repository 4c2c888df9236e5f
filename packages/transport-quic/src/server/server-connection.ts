import { type Peer, RpcError } from '@qrpc/core'
import {
  ByteChannel,
  ChannelTable,
  type ChannelTableObserver,
  type ChannelTableSettings,
  ResetBudget,
} from '@qrpc/wire'
import { hostAndPort } from '../client/target.ts'
import type { QuicByteStream } from '../connection/quic-byte-stream.ts'
import type { QuicConnection, QuicConnectionObserver } from '../connection/quic-connection.ts'

const EXCESSIVE_LOAD = 8

/** What the connections of a listener have in common. */
export interface ServerConnectionSettings extends ChannelTableSettings {
  /** Streams that a peer may reset in 10 s. */
  readonly maxResets: number
}

const CLOSING = new RpcError('unavailable', 'the server is closing')
const CLOSED = new RpcError('unavailable', 'the server closed the connection')

/** A client's connection, with the channels on it. */
export class ServerConnection implements QuicConnectionObserver {
  readonly #connection: QuicConnection
  readonly #settings: ServerConnectionSettings
  readonly #channels: ChannelTable
  readonly #onGone: (connection: ServerConnection) => void
  #peer: Peer | undefined = undefined
  #closing = false
  readonly #resets: ResetBudget

  constructor(
    connect: (observer: QuicConnectionObserver) => QuicConnection,
    settings: ServerConnectionSettings,
    observer: ChannelTableObserver,
    onGone: (connection: ServerConnection) => void,
  ) {
    this.#settings = settings
    this.#channels = new ChannelTable(settings, { ...observer, onStuck: (error) => this.#closeSoon(error) })
    this.#resets = new ResetBudget(settings.maxResets)
    this.#onGone = onGone
    this.#connection = connect(this)
  }

  onEstablished(): void {
    this.#knownPeer()
  }

  onTurn(): void {}

  onStream(stream: QuicByteStream): void {
    const channel = new ByteChannel(this.#channels, stream, this.#knownPeer(), false)
    stream.reader = channel
    this.#channels.addAccepted(channel)
    if (this.#closing) channel.sever(CLOSING, CLOSING)
  }

  onReset(): void {
    const error = this.#resets.count()
    if (error !== undefined) this.#closeSoon(error)
  }

  onClosed(error: RpcError): void {
    this.#channels.lose(error)
    this.#onGone(this)
  }

  /** Takes no further channels; where the client can be asked for no more, only once it has heard of that. */
  retire(): void {
    if (!this.#channels.goAway()) this.#closing = true
  }

  /** Lets channels go on for `graceMs`, then cuts them off and closes the connection. A second call may shorten the grace. */
  async close(graceMs: number): Promise<void> {
    if (graceMs <= 0) this.#channels.hurry()
    await this.#channels.drain(graceMs)
    this.#closing = true
    this.#channels.sever(new RpcError('unavailable', 'the listener was closed'), CLOSED)
    await this.#channels.drain(this.#settings.closeTimeoutMs)
    this.#connection.close(0, CLOSED)
  }

  /** Not in the middle of what quiche does. */
  #closeSoon(error: RpcError): void {
    queueMicrotask(() => this.#connection.close(EXCESSIVE_LOAD, error))
  }

  #knownPeer(): Peer {
    if (this.#peer === undefined) {
      const { host, port } = this.#connection.remote
      const [certificate] = this.#connection.quiche.peerCertChain() ?? []
      const address = hostAndPort(host, port)
      this.#peer = { transport: 'quic', address, ...(certificate && { certificate: new Uint8Array(certificate) }) }
      this.#channels.established(this.#peer)
    }
    return this.#peer
  }
}
