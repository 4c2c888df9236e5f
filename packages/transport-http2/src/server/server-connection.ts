import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Peer, RpcError } from '@qrpc/core'
import {
  ByteChannel,
  ChannelTable,
  type ChannelTableObserver,
  type ChannelTableSettings,
  LimitError,
  ResetBudget,
} from '@qrpc/wire'
import { closeSession, destroySession } from '../end-session.ts'
import { KeepAlive } from '../keep-alive.ts'
import { LANE_PATH, methodOf } from '../stream/headers.ts'
import { ServerByteStream } from './server-byte-stream.ts'

/** What the connections of a listener have in common. */
export interface ServerConnectionSettings extends ChannelTableSettings {
  readonly address: string
  /** Streams that a peer may reset in 10 s. */
  readonly maxResets: number
  /** Streams that a peer may have open at a time, besides a lane. */
  readonly maxConcurrentStreams: number
  readonly idleTimeoutMs: number
  readonly handshakeTimeoutMs: number
}

const TOO_MANY_STREAMS = new LimitError('maxConcurrentStreams', 'resource_exhausted', 'too many streams at a time')
const CLOSING = new RpcError('unavailable', 'the server is closing')

/** A client's session, with the channels on it. */
export class ServerConnection {
  readonly #session: ServerHttp2Session
  readonly #settings: ServerConnectionSettings
  readonly #channels: ChannelTable
  readonly #peer: Peer
  readonly #keepAlive: KeepAlive
  readonly #socket: Socket | undefined
  readonly #handshake: NodeJS.Timeout | undefined
  readonly #lost = (cause: unknown): RpcError | undefined => this.#lossOf(cause)
  readonly #onStreamGone = (stream: ServerHttp2Stream, wasReset: boolean): void => {
    this.#streams.delete(stream)
    if (wasReset) this.#countReset()
  }
  readonly #streams = new Set<ServerHttp2Stream>()
  readonly #resets: ResetBudget
  #error: RpcError | undefined = undefined
  #closing = false
  #own = false
  #left = false
  #hasLane = false

  /** @param socket What the session runs over; not that of a session of another's server. */
  constructor(
    session: ServerHttp2Session,
    settings: ServerConnectionSettings,
    observer: ChannelTableObserver,
    socket: Socket | undefined,
  ) {
    this.#session = session
    this.#socket = socket
    this.#settings = settings
    this.#channels = new ChannelTable(settings, {
      onAccepted: (channel) => observer.onAccepted?.(channel),
      onGone: (channel) => {
        observer.onGone(channel)
        if (this.#left) this.#destroyIfIdle()
      },
      onStuck: (error) => this.#lose(error),
    })
    this.#resets = new ResetBudget(settings.maxResets)
    this.#peer = peerOf(session, settings.address)
    this.#channels.established(this.#peer)
    const half = settings.idleTimeoutMs / 2
    this.#keepAlive = new KeepAlive(session, { intervalMs: half, timeoutMs: half }, () => {
      this.#lose(new LimitError('idleTimeoutMs', 'unavailable', 'the client no longer answers'))
    })
    if (socket !== undefined) this.#handshake = this.#expectSettings(settings.handshakeTimeoutMs)
    if (socket !== undefined) session.on('goaway', () => this.#onGoaway())
    session.on('error', (error) => {
      this.#error ??= new RpcError('unavailable', `the connection was lost: ${error.message}`, { cause: error })
    })
    session.on('close', () => {
      this.#keepAlive.close()
      clearTimeout(this.#handshake)
      this.#channels.lose(this.#lossOf() as RpcError)
    })
  }

  /** Takes a stream that is qrpc's. */
  accept(stream: ServerHttp2Stream, path: string): void {
    if (path === LANE_PATH && !this.#hasLane) this.#hasLane = true
    else if (this.#streams.size >= this.#settings.maxConcurrentStreams && !this.#hasRoom()) {
      stream.on('error', () => {})
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      this.#channels.onRefused(TOO_MANY_STREAMS)
      this.#countReset()
      return
    } else this.#streams.add(stream)
    const bytes = new ServerByteStream(stream, this.#lost, this.#onStreamGone)
    const channel = new ByteChannel(this.#channels, bytes, this.#peer, false, methodOf(path))
    bytes.reader = channel
    this.#channels.addAccepted(channel)
    if (this.#closing) channel.sever(CLOSING, CLOSING)
  }

  /**
   * Takes no further channels; where the client can be asked for no more, only once it has heard of that.
   *
   * @param own Whether the session carries nothing else.
   */
  retire(own: boolean): void {
    this.#own = own
    if (!this.#channels.goAway()) this.#refuse()
  }

  /** Lets channels go on for `graceMs`, then cuts them off, and resolves when none is left. A second call may shorten the grace. */
  async close(graceMs: number): Promise<void> {
    if (graceMs <= 0) this.#channels.hurry()
    await this.#channels.drain(graceMs)
    this.#refuse()
    this.#channels.sever(
      new RpcError('unavailable', 'the listener was closed'),
      new RpcError('unavailable', 'the server closed the connection'),
    )
    await this.#channels.drain(this.#settings.closeTimeoutMs)
  }

  /** Ends the session, and what is left on it. */
  destroy(): void {
    destroySession(this.#session)
  }

  /** Node.js tells some time later of streams that are closed. */
  #hasRoom(): boolean {
    let open = 0
    for (const stream of this.#streams) if (!stream.closed) open++
    return open < this.#settings.maxConcurrentStreams
  }

  #refuse(): void {
    if (this.#closing) return
    this.#closing = true
    if (this.#own) closeSession(this.#session)
  }

  /** A client that sends its preface byte by byte is never silent, and never there. */
  #expectSettings(timeoutMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const message = `the client did not send its SETTINGS within ${timeoutMs} ms`
      this.#lose(new LimitError('handshakeTimeoutMs', 'unavailable', message))
    }, timeoutMs).unref()
    this.#session.once('remoteSettings', () => clearTimeout(timer))
    return timer
  }

  #lose(error: RpcError): void {
    this.#error ??= error
    destroySession(this.#session, this.#socket)
  }

  /**
   * The client opens no further streams. Node.js would close the session now, while it reads; a further stream and a
   * frame of a wrong size behind that end the process then, by an assertion of nghttp2 (CVE-2026-27135).
   */
  #onGoaway(): void {
    this.#left = true
    this.#session.close = () => {}
    this.#destroyIfIdle()
  }

  #destroyIfIdle(): void {
    if (this.#channels.size === 0) this.destroy()
  }

  #lossOf(cause?: unknown): RpcError | undefined {
    if (this.#error === undefined && this.#session.destroyed) {
      this.#error = new RpcError('unavailable', 'the client closed the connection', { cause })
    }
    return this.#error
  }

  #countReset(): void {
    const error = this.#resets.count()
    if (error === undefined || this.#session.destroyed) return
    this.#error ??= error
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.destroy()
  }
}

function peerOf(session: ServerHttp2Session, address: string): Peer {
  const socket = session.socket as Partial<TLSSocket>
  const { remoteAddress, remotePort, remoteFamily } = socket
  const host = remoteFamily === 'IPv6' ? `[${remoteAddress}]` : remoteAddress
  const certificate = socket.authorized === true ? socket.getPeerX509Certificate?.()?.raw : undefined
  return {
    transport: 'http2',
    address: host === undefined ? address : `${host}:${remotePort}`,
    ...(certificate && { certificate: new Uint8Array(certificate) }),
  }
}
