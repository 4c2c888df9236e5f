import { type Channel, type OpenOptions, type Peer, RpcError } from '@qrpc/core'
import {
  ByteChannel,
  ChannelTable,
  type ChannelTableSettings,
  ClientLane,
  type ClientLaneObserver,
  type Connection,
  type ConnectionObserver,
  OpenQueue,
} from '@qrpc/wire'
import type { QuicByteStream } from '../connection/quic-byte-stream.ts'
import type { QuicConnection } from '../connection/quic-connection.ts'
import { ALPN_WITH_LANES, SPARE_STREAMS } from '../tls/quic-config.ts'

// Streams that were cut off, after which a connection is left for another one while there is window left to finish.
const MOST_ABANDONED = 100

/** What a connection needs to know besides itself. */
export interface QuicClientSettings extends ChannelTableSettings {
  readonly address: string
  readonly peer: Peer
  readonly maxConcurrentStreams: number
  readonly idleTimeoutMs: number
}

/** A QUIC connection, as its connector sees it: established, or about to be and good for early data. */
export class QuicClientConnection implements Connection, ClientLaneObserver {
  readonly #connection: QuicConnection
  readonly #settings: QuicClientSettings
  readonly #observer: ConnectionObserver
  readonly #release: () => Promise<void>
  readonly #channels: ChannelTable
  readonly #waiting = new OpenQueue()
  #keepAlive: NodeJS.Timeout | undefined = undefined
  // Opened here, and unknown to the peer before the first write: they have no stream of their own yet.
  #unstarted = 0
  // Streams at a time, as both sides want it.
  readonly #maxStreams: number
  #lane: ClientLane | undefined = undefined
  #unusable: RpcError | undefined = undefined
  #released: Promise<void> | undefined = undefined

  constructor(
    connection: QuicConnection,
    settings: QuicClientSettings,
    observer: ConnectionObserver,
    release: () => Promise<void>,
  ) {
    this.#connection = connection
    this.#settings = settings
    this.#observer = observer
    this.#release = release
    this.#channels = new ChannelTable(settings, {
      onGone: () => this.#onGone(),
      onStuck: (error) => queueMicrotask(() => this.#connection.close(0, error)),
    })
    this.#channels.established(settings.peer)
    this.#maxStreams = Math.max(1, Math.min(connection.credit - SPARE_STREAMS, settings.maxConcurrentStreams))
    this.#onEstablished()
    if (connection.closed !== undefined) this.onClosed(connection.closed)
  }

  get usable(): boolean {
    return this.#unusable === undefined
  }

  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (this.#lane?.carries(options)) return this.#lane.open(options)
    if (this.#connection.established) {
      if (this.#waiting.size === 0 && this.#hasRoom()) return this.#openNow()
    } else if (options?.idempotent && this.#hasRoom()) return this.#openNow()
    return this.#waiting.wait(() => this.#openNow(), options?.signal)
  }

  onCallOver(): void {
    this.#channels.onCallOver()
    this.#closeIfLeft()
  }

  onGoingAway(): void {
    this.#retire(new RpcError('unavailable', `${this.#settings.address} is going away`))
    this.#closeIfLeft()
  }

  onLaneGone(): void {
    const lane = this.#lane
    this.#lane = undefined
    if (lane !== undefined) this.#channels.onLaneGone(lane)
    this.#closeIfLeft()
  }

  openElsewhere(options: OpenOptions | undefined): Channel | Promise<Channel> {
    return this.open(options)
  }

  async close(graceMs: number): Promise<void> {
    this.#retire(new RpcError('failed_precondition', `the connector to ${this.#settings.address} was closed`))
    if (graceMs <= 0) this.#channels.hurry()
    await this.#channels.drain(graceMs)
    const there = new RpcError('cancelled', 'the client closed the connection')
    this.#channels.sever(new RpcError('cancelled', 'the connector was closed'), there)
    await this.#channels.drain(this.#settings.closeTimeoutMs)
    this.#connection.close(0, there)
    await this.#released
  }

  /** A turn of the connection is over. */
  onTurn(): void {
    if (this.#keepAlive === undefined) this.#onEstablished()
    this.#admit()
  }

  /** The connection is lost. */
  onClosed(error: RpcError): void {
    clearInterval(this.#keepAlive)
    this.#retire(error)
    this.#channels.lose(error)
    this.#released ??= this.#release().then(() => this.#observer.onClosed())
  }

  #hasRoom = (): boolean =>
    this.usable && this.#channels.streams < this.#maxStreams && this.#unstarted < this.#connection.credit

  #admit(): void {
    if (this.#waiting.size > 0 && this.#connection.established) this.#waiting.admit(this.#hasRoom)
  }

  #openStream(): QuicByteStream {
    this.#unstarted++
    return this.#connection.openStream(() => {
      this.#unstarted--
    })
  }

  #openNow(): Channel {
    const stream = this.#openStream()
    const channel = new ByteChannel(this.#channels, stream, this.#settings.peer, true)
    stream.reader = channel
    this.#channels.addOpened(channel)
    return channel
  }

  #onGone(): void {
    if (this.#connection.abandoned >= MOST_ABANDONED) {
      this.#retire(new RpcError('unavailable', `${MOST_ABANDONED} calls of the connection were cut off`))
    }
    this.#admit()
    this.#closeIfLeft()
  }

  #closeIfLeft(): void {
    const unusable = this.#unusable
    // The last channel may be going in the middle of a turn.
    if (unusable !== undefined && this.#channels.size === 0) queueMicrotask(() => this.#connection.close(0, unusable))
  }

  #onEstablished(): void {
    if (!this.#connection.established || this.#connection.closed !== undefined) return
    this.#keepAwake()
    if (this.#connection.protocol === ALPN_WITH_LANES) this.#openLane()
  }

  #openLane(): void {
    const { format, peer } = this.#settings
    // The server takes as many calls on its lane as streams.
    this.#lane = new ClientLane(format, this.#openStream(), peer, this.#maxStreams, this, this.#channels)
    this.#channels.addLane(this.#lane)
  }

  /** The server's idle timeout, which counts where it is the smaller one, is known once the handshake is done. */
  #keepAwake(): void {
    const connection = this.#connection
    const idleTimeoutMs = Math.min(this.#settings.idleTimeoutMs, connection.peerIdleTimeoutMs)
    this.#keepAlive = setInterval(() => connection.keepAlive(), idleTimeoutMs / 2).unref()
  }

  #retire(error: RpcError): void {
    if (this.#unusable !== undefined) return
    this.#unusable = error
    this.#observer.onUnusable(error)
    this.#waiting.refuse(error)
    this.#lane?.refuse(error)
  }
}
