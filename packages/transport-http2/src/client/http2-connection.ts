import type { ClientHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { type Channel, type OpenOptions, type Peer, RpcError } from '@qrpc/core'
import {
  ByteChannel,
  ChannelTable,
  type ChannelTableSettings,
  ClientLane,
  type ClientLaneObserver,
  type Connection,
  type ConnectionObserver,
  LimitError,
  OpenQueue,
} from '@qrpc/wire'
import { closeSession, destroySession } from '../end-session.ts'
import { KeepAlive, type KeepAliveTimes } from '../keep-alive.ts'
import { laneCallsIn, streamsIn } from '../own-settings.ts'
import { LANE_PATH, pathOf } from '../stream/headers.ts'
import { ClientByteStream } from './client-byte-stream.ts'

/** What a connection needs to know besides its session. */
export interface Http2ConnectionSettings extends ChannelTableSettings {
  readonly address: string
  readonly peer: Peer
  /** What the session runs over, where that is known. */
  readonly socket: Duplex | undefined
  readonly maxConcurrentStreams: number
  readonly lanes: boolean
  readonly keepAlive: KeepAliveTimes
}

/**
 * An HTTP/2 session whose first SETTINGS have come, as a connection.
 *
 * `usable` until the peer says GOAWAY, the session is lost, or it was closed here. The channels that are open then go
 * on, as far as the session lets them, and take it along when the last of them is gone.
 */
export class Http2Connection implements Connection, ClientLaneObserver {
  readonly #session: ClientHttp2Session
  readonly #settings: Http2ConnectionSettings
  readonly #observer: ConnectionObserver
  readonly #channels: ChannelTable
  readonly #waiting = new OpenQueue()
  readonly #keepAlive: KeepAlive
  readonly #whenClosed: Promise<void>
  readonly #lost = (cause: unknown): RpcError | undefined => this.#lossOf(cause)
  readonly #onSpent = (): void => {
    this.#retire(new RpcError('unavailable', 'the connection has no more streams'))
  }
  #lane: ClientLane | undefined = undefined
  #laneOpened = false
  #unusable: RpcError | undefined = undefined
  #error: RpcError | undefined = undefined

  constructor(session: ClientHttp2Session, settings: Http2ConnectionSettings, observer: ConnectionObserver) {
    this.#session = session
    this.#settings = settings
    this.#observer = observer
    this.#channels = new ChannelTable(settings, {
      onGone: () => this.#onGone(),
      onStuck: (error) => this.#lose(error),
    })
    this.#channels.established(settings.peer)
    this.#keepAlive = new KeepAlive(session, settings.keepAlive, () => {
      this.#lose(new LimitError('keepAliveTimeoutMs', 'unavailable', `${settings.address} no longer answers`))
    })
    // The peer may allow more streams than before.
    session.on('remoteSettings', () => {
      this.#openLane()
      this.#waiting.admit(this.#hasRoom)
    })
    session.on('error', (error) => this.#lose(lostError(settings.address, error)))
    session.on('goaway', (code) => {
      this.#retire(new RpcError('unavailable', `${settings.address} is going away (GOAWAY with error code ${code})`))
    })
    this.#whenClosed = new Promise((resolve) => {
      session.on('close', () => {
        this.#onClosed()
        resolve()
      })
    })
    this.#openLane()
  }

  get usable(): boolean {
    return this.#unusable === undefined && !this.#session.closed && !this.#session.destroyed
  }

  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (this.#lane?.carries(options)) return this.#lane.open(options)
    if (this.#hasRoom()) return this.#openNow(options)
    return this.#waiting.wait(() => this.#openNow(options), options?.signal)
  }

  onCallOver(): void {
    this.#channels.onCallOver()
    this.#closeIfLeft()
  }

  onGoingAway(): void {
    this.#retire(new RpcError('unavailable', `${this.#settings.address} is going away`))
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
    this.#channels.sever(
      new RpcError('cancelled', 'the connector was closed'),
      new RpcError('cancelled', 'the client closed the connection'),
    )
    await this.#channels.drain(this.#settings.closeTimeoutMs)
    destroySession(this.#session)
    await this.#closedWithin(this.#settings.closeTimeoutMs)
    this.#settings.socket?.destroy()
  }

  /** A session that was closed waits for its peer to close the socket, too: without an end, if it is up to that. */
  async #closedWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([this.#whenClosed, late])
    clearTimeout(timer)
  }

  #hasRoom = (): boolean => this.usable && this.#channels.streams < this.#limit()

  /** The peer may change its limit at any time, even to none. */
  #limit(): number {
    return Math.min(streamsIn(this.#session.remoteSettings), this.#settings.maxConcurrentStreams)
  }

  /** The lane, if the server takes one: one in the life of the connection. */
  #openLane(): void {
    const calls = this.#settings.lanes ? laneCallsIn(this.#session.remoteSettings) : 0
    if (calls === 0 || this.#laneOpened || !this.usable) return
    this.#laneOpened = true
    const { format, peer, maxConcurrentStreams } = this.#settings
    const stream = new ClientByteStream(this.#session, LANE_PATH, this.#lost, this.#onSpent)
    this.#lane = new ClientLane(format, stream, peer, Math.min(calls, maxConcurrentStreams), this, this.#channels)
    this.#channels.addLane(this.#lane)
  }

  #openNow(options: OpenOptions | undefined): Channel {
    const stream = new ClientByteStream(this.#session, pathOf(options?.method), this.#lost, this.#onSpent)
    const channel = new ByteChannel(this.#channels, stream, this.#settings.peer, true)
    stream.reader = channel
    this.#channels.addOpened(channel)
    return channel
  }

  #onGone(): void {
    if (this.#waiting.size > 0) this.#waiting.admit(this.#hasRoom)
    this.#closeIfLeft()
  }

  #closeIfLeft(): void {
    if (this.#unusable === undefined || this.#channels.size > 0) return
    this.#lane?.end()
    closeSession(this.#session)
  }

  /** No further channels; the session goes with the last one. */
  #retire(error: RpcError): void {
    if (this.#unusable !== undefined) return
    this.#unusable = error
    this.#observer.onUnusable(error)
    this.#waiting.refuse(error)
    this.#lane?.refuse(error)
    this.#closeIfLeft()
  }

  #lose(error: RpcError): void {
    this.#error ??= error
    this.#retire(error)
    destroySession(this.#session, this.#settings.socket)
  }

  #onClosed(): void {
    this.#keepAlive.close()
    const error = this.#lossOf() as RpcError
    this.#retire(error)
    this.#channels.lose(error)
    this.#observer.onClosed()
  }

  #lossOf(cause?: unknown): RpcError | undefined {
    if (this.#error === undefined && this.#session.destroyed) this.#error = lostError(this.#settings.address, cause)
    return this.#error
  }
}

function lostError(address: string, error: unknown): RpcError {
  const what = `the connection to ${address} was lost`
  return error instanceof Error
    ? new RpcError('unavailable', `${what}: ${error.message}`, { cause: error })
    : new RpcError('unavailable', what)
}
