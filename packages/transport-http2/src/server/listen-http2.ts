import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerOptions,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { BufferBudget, Counters, DEFAULT_MAX_LISTENER_BUFFER, WireFormat } from '@qrpc/wire'
import { checkHttp2Options, checkInteger, checkMs, type Http2Options } from '../options.ts'
import { LANE_SETTING, STREAMS_SETTING } from '../own-settings.ts'
import { Http2Listener, listenError } from './http2-listener.ts'

/** How a listener listens, and what protects it. */
export interface Http2ListenOptions extends Http2Options {
  /** The address to listen at. Default: 127.0.0.1. All interfaces: `0.0.0.0` or `::`. */
  readonly host?: string | undefined
  /** Default: 0, any port that is free. */
  readonly port?: number | undefined
  /** The path of a Unix socket to listen at, instead of `host` and `port`. */
  readonly path?: string | undefined
  /**
   * TLS: what `createSecureServer` of Node.js takes, `key` and `cert` at least. `requestCert` and `ca` ask for the
   * client's certificate, which `context.peer.certificate` then has. Default: in the clear.
   */
  readonly tls?: SecureServerOptions | undefined
  /**
   * A server with other routes, or made elsewhere: only requests with the content type of qrpc are taken from it, and
   * {@link isQrpcRequest} tells the other routes to leave these alone. Its windows and limits are its maker's, and it
   * stays open when the listener closes.
   */
  readonly server?: Http2Server | Http2SecureServer | undefined
  /** Streams that a connection may have open at a time, and besides them calls on its lane. Default: 1000. Sane: 100 to 10000. */
  readonly maxConcurrentStreams?: number | undefined
  /** Connections at a time; further ones are closed at once. Default: 10000. */
  readonly maxConnections?: number | undefined
  /**
   * Bytes that all connections together keep, as `maxConnectionBuffer`. Beyond it calls of the connections that keep the
   * most fail with `resource_exhausted`. Default: 1 GiB. Sane: a part of the memory of the process.
   */
  readonly maxListenerBuffer?: number | undefined
  /** Streams that a client may reset in 10 s before its connection is closed. Default: 200. */
  readonly maxResets?: number | undefined
  /** How long a stream may take to send its first frame, in ms. Default: 10000. */
  readonly firstFrameTimeoutMs?: number | undefined
  /** How long the TLS handshake may take, and then the client's first SETTINGS, in ms. Default: 10000. */
  readonly handshakeTimeoutMs?: number | undefined
  /** After how long without a byte from it a client is gone, in ms; at half of it it is asked. Default: 30000. */
  readonly idleTimeoutMs?: number | undefined
}

const MAX_UINT31 = 2 ** 31 - 1
const SPARE_STREAMS = 100
// Frames that a session may have us keep, in MB: more than the windows, or full windows would count as an attack.
const SESSION_MEMORY_MB = 64
const MAX_HEADER_LIST_SIZE = 16 * 1024
const MAX_HEADER_PAIRS = 64

/**
 * Listens for HTTP/2 connections: in the clear with prior knowledge, over TLS, on a Unix socket, or on a server that is
 * there already.
 *
 * @example `await using server = serve(Compute, handlers, await listenHttp2({ port: 8080 }))`
 * @throws RpcError (as a rejection) `invalid_argument` for options that make no sense, `unavailable` when the address
 * is taken or not this machine's.
 * @see https://www.rfc-editor.org/rfc/rfc9113
 */
export async function listenHttp2(options: Http2ListenOptions = {}): Promise<Http2Listener> {
  const checked = checkHttp2Options(options)
  const { host = '127.0.0.1', port = 0, path, tls } = options
  const { maxConcurrentStreams = 1000, maxConnections = 10_000, maxResets = 200 } = options
  const { firstFrameTimeoutMs = 10_000, handshakeTimeoutMs = 10_000, idleTimeoutMs = 30_000 } = options
  const { maxListenerBuffer = DEFAULT_MAX_LISTENER_BUFFER } = options
  checkInteger('maxListenerBuffer', maxListenerBuffer, 1, Number.MAX_SAFE_INTEGER)
  checkInteger('maxConcurrentStreams', maxConcurrentStreams, 1, MAX_UINT31)
  checkInteger('maxConnections', maxConnections, 1, MAX_UINT31)
  checkInteger('maxResets', maxResets, 0, MAX_UINT31)
  checkMs('firstFrameTimeoutMs', firstFrameTimeoutMs)
  checkMs('handshakeTimeoutMs', handshakeTimeoutMs)
  checkMs('idleTimeoutMs', idleTimeoutMs)
  const format = new WireFormat(options)
  const own = options.server === undefined
  const limits: ServerOptions = {
    settings: {
      enablePush: false,
      initialWindowSize: checked.streamWindow,
      // Node.js counts streams for a while that are closed, and cuts off those beyond its limit as an attack: ours comes first.
      maxConcurrentStreams: Math.min(2 * maxConcurrentStreams + SPARE_STREAMS, MAX_UINT31),
      maxHeaderListSize: MAX_HEADER_LIST_SIZE,
      customSettings: {
        [STREAMS_SETTING]: maxConcurrentStreams,
        ...(checked.lanes && { [LANE_SETTING]: maxConcurrentStreams }),
      },
    },
    maxSessionMemory: SESSION_MEMORY_MB,
    maxHeaderListPairs: MAX_HEADER_PAIRS,
  }
  const server =
    options.server ??
    (tls === undefined
      ? createServer(limits)
      : createSecureServer({ handshakeTimeout: handshakeTimeoutMs, ...limits, ...tls }))
  if (own) {
    server.maxConnections = maxConnections
    await listen(server, path === undefined ? { host, port } : { path })
  }
  const addresses = addressesOf(server, 'setSecureContext' in server)
  const settings = {
    ...checked,
    format,
    own,
    maxResets,
    firstFrameTimeoutMs,
    handshakeTimeoutMs,
    idleTimeoutMs,
    address: addresses[0] ?? 'http2',
    maxConcurrentStreams: own ? maxConcurrentStreams : MAX_UINT31,
    maxLaneCalls: checked.lanes ? maxConcurrentStreams : 0,
    buffers: new BufferBudget(maxListenerBuffer),
    counters: new Counters('server'),
  }
  return new Http2Listener(server, settings, addresses)
}

function listen(
  server: Http2Server | Http2SecureServer,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(listenError('path' in where ? `unix:${where.path}` : `${where.host}:${where.port}`, error))
    }
    server.once('error', onError)
    server.listen(where, () => {
      server.off('error', onError)
      // A connection that cannot be accepted, for want of file descriptors say, must not end the process.
      server.on('error', () => {})
      resolve()
    })
  })
}

/** What `connectHttp2` takes. */
function addressesOf(server: Http2Server | Http2SecureServer, secure: boolean): readonly string[] {
  const address: AddressInfo | string | null = server.address()
  if (address === null) return []
  if (typeof address === 'string') return [`${secure ? 'unix+tls' : 'unix'}:${address}`]
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return [`${secure ? 'https' : 'http'}://${host}:${address.port}`]
}
