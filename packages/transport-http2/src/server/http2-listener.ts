import {
  constants,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { type Channel, type CloseOptions, type Listener, RpcError } from '@qrpc/core'
import { AcceptQueue, type ChannelTableObserver, type Counters, LimitError, type TransportCounters } from '@qrpc/wire'
import { LANE_SETTING } from '../own-settings.ts'
import { CONTENT_TYPE, isQrpcRequest } from '../stream/headers.ts'
import { ServerConnection, type ServerConnectionSettings } from './server-connection.ts'

const DEFAULT_GRACE_MS = 5000

/** How a listener stands to its server. */
export interface Http2ListenerSettings extends ServerConnectionSettings {
  readonly counters: Counters
  /** Whether the server is the listener's own: closed with it, and without other routes. */
  readonly own: boolean
  readonly connectionWindow: number
}

/** Accepts channels over HTTP/2. */
export class Http2Listener implements Listener {
  readonly addresses: readonly string[]
  /** The server of Node.js below: for `setSecureContext` and the like. */
  readonly server: Http2Server | Http2SecureServer
  /** What its connections have come to so far. */
  readonly counters: TransportCounters
  readonly #settings: Http2ListenerSettings
  readonly #connections = new Map<ServerHttp2Session, ServerConnection>()
  readonly #sockets = new Set<Socket>()
  // The one that a session begins on.
  #socket: Socket | undefined = undefined
  readonly #accepted = new AcceptQueue()
  #closing: Promise<void> | undefined = undefined

  constructor(server: Http2Server | Http2SecureServer, settings: Http2ListenerSettings, addresses: readonly string[]) {
    this.server = server
    this.#settings = settings
    this.counters = settings.counters
    this.addresses = addresses
    server.on('session', this.#onSession)
    server.on('stream', this.#onStream)
    if (settings.own) {
      server.on('drop', () => settings.counters.limited('maxConnections'))
      server.on('tlsClientError', (error) => settings.counters.failed(handshakeError(error)))
      server.on('connection', this.#onConnection)
      // The server's own listener makes the session, at once: in the clear of the one, over TLS of the other.
      server.prependListener('connection', this.#onSocket)
      server.prependListener('secureConnection', this.#onSocket)
    }
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
    const closing = this.#closeAll(graceMs)
    this.#closing ??= closing
    await Promise.all([closing, this.#closing])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeAll(graceMs: number): Promise<void> {
    const { own } = this.#settings
    this.#accepted.close()
    const serverClosed = own && this.#closing === undefined ? this.#closeServer() : undefined
    const connections = [...this.#connections.values()]
    for (const connection of connections) connection.retire(own)
    await Promise.all(connections.map((connection) => connection.close(graceMs)))
    if (own) {
      for (const connection of connections) connection.destroy()
      // Behind the sessions, which say GOAWAY.
      setImmediate(() => {
        for (const socket of this.#sockets) socket.destroy()
      })
    } else {
      this.server.off('session', this.#onSession)
      this.server.off('stream', this.#onStream)
    }
    await serverClosed
  }

  #closeServer(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()))
  }

  // Sockets whose session never began are nobody else's to close.
  #onConnection = (socket: Socket): void => {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #onSocket = (socket: Socket): void => {
    this.#socket = socket
  }

  #onSession = (session: ServerHttp2Session): void => {
    const { own, connectionWindow, maxLaneCalls } = this.#settings
    if (own) session.setLocalWindowSize(connectionWindow)
    else if (maxLaneCalls) session.settings({ customSettings: { [LANE_SETTING]: maxLaneCalls } })
    this.#connectionOf(session)
  }

  #connectionOf(session: ServerHttp2Session): ServerConnection {
    const known = this.#connections.get(session)
    if (known !== undefined) return known
    const observer: ChannelTableObserver = {
      onAccepted: (channel) => this.#accepted.add(channel),
      onGone: (channel) => this.#accepted.forget(channel),
    }
    const connection = new ServerConnection(session, this.#settings, observer, this.#socket)
    this.#socket = undefined
    this.#connections.set(session, connection)
    session.once('close', () => this.#connections.delete(session))
    if (this.#closing !== undefined) connection.retire(this.#settings.own)
    return connection
  }

  #onStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const { own } = this.#settings
    const isOurs = isQrpcRequest(headers)
    const { session } = stream
    if (session === undefined) {
      // It is gone by now, perhaps with an error, which ends the process where nobody listens.
      if (isOurs || own) stream.on('error', ignore)
    } else if (isOurs) this.#connectionOf(session as ServerHttp2Session).accept(stream, headers[':path'] ?? '/')
    else if (own) refuse(stream, headers)
  }
}

function ignore(): void {}

/** Answers what is not qrpc as an HTTP server does (RFC 9110, sections 15.5.6 and 15.5.16). */
function refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', ignore)
  stream.resume()
  if (headers[':method'] === 'POST') {
    stream.respond({ ':status': 415, accept: CONTENT_TYPE }, { endStream: true })
  } else stream.respond({ ':status': 405, allow: 'POST' }, { endStream: true })
  // Whatever the client still wants to send (RFC 9113, section 8.1). A reset in the same turn overtakes the answer since
  // Node.js 22.23.
  if (!stream.endAfterHeaders) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}

function handshakeError(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_TLS_HANDSHAKE_TIMEOUT') return error
  return new LimitError('handshakeTimeoutMs', 'unavailable', 'the TLS handshake took too long')
}

/** The error of a server that cannot listen. */
export function listenError(where: string, error: Error): RpcError {
  return new RpcError('unavailable', `cannot listen at ${where}: ${error.message}`, { cause: error })
}
