import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Peer } from '@qrpc/core'
import { type BackoffOptions, Counters, DialingConnector, type NetworkConnector, WireFormat } from '@qrpc/wire'
import { checkHttp2Options, checkInteger, checkMs, type Http2Options } from '../options.ts'
import { LANE_SETTING, STREAMS_SETTING } from '../own-settings.ts'
import { dialSession } from './dial.ts'
import { Http2Connection } from './http2-connection.ts'
import { parseTarget } from './target.ts'

/** How a connector connects. */
export interface Http2ConnectOptions extends Http2Options, BackoffOptions {
  /**
   * For `https:` and `unix+tls:`: what `tls.connect` of Node.js takes, such as `ca`, `cert`, `key` and `servername`.
   * Default: the certificate authorities of Node.js; the name of the host is checked.
   */
  readonly tls?: ConnectionOptions | undefined
  /** Channels that are open at a time, if the server allows as many; further opens wait in line. Default: 1000. */
  readonly maxConcurrentStreams?: number | undefined
  /** How long connecting may take, TLS and the server's first SETTINGS included, in ms. Default: 10000. */
  readonly connectTimeoutMs?: number | undefined
  /** After how long without a byte from the server a PING is sent, in ms. Default: 15000. Sane: 10000 and up. */
  readonly keepAliveIntervalMs?: number | undefined
  /** How long the answer to a PING may take, in ms, before the connection is given up. Default: 10000. */
  readonly keepAliveTimeoutMs?: number | undefined
  /** Makes the socket, connected, for each connection: a tunnel, for example. Default: by the address. */
  readonly createConnection?: (() => Duplex | Promise<Duplex>) | undefined
  /** Makes the session for each connection, instead of all the above. Its windows are its maker's. */
  readonly session?: (() => ClientHttp2Session | Promise<ClientHttp2Session>) | undefined
}

const MOST_STREAMS = 2 ** 31 - 1
// Frames that a peer may have us keep, in MB: more than the windows, or full windows would count as an attack.
const SESSION_MEMORY_MB = 64

/**
 * A connector over HTTP/2. It connects when the first channel is opened, and again when the connection was lost.
 *
 * @param address `http://host:port` (HTTP/2 in the clear, with prior knowledge), `https://host:port` (TLS), `unix:/path`
 * or `unix+tls:/path`.
 * @example `const client = createClient(Compute, connectHttp2('http://127.0.0.1:8080'))`
 * @throws RpcError `invalid_argument` for an address or options that make no sense.
 * @see https://www.rfc-editor.org/rfc/rfc9113
 */
export function connectHttp2(address: string, options: Http2ConnectOptions = {}): NetworkConnector {
  const target = parseTarget(address)
  const checked = checkHttp2Options(options)
  const { maxConcurrentStreams = 1000, connectTimeoutMs = 10_000 } = options
  const { keepAliveIntervalMs = 15_000, keepAliveTimeoutMs = 10_000 } = options
  checkInteger('maxConcurrentStreams', maxConcurrentStreams, 1, MOST_STREAMS)
  checkMs('connectTimeoutMs', connectTimeoutMs)
  checkMs('keepAliveIntervalMs', keepAliveIntervalMs)
  checkMs('keepAliveTimeoutMs', keepAliveTimeoutMs)
  const format = new WireFormat(options)
  const http2: SecureClientSessionOptions = {
    settings: { enablePush: false, initialWindowSize: checked.streamWindow },
    maxSessionMemory: SESSION_MEMORY_MB,
    remoteCustomSettings: [STREAMS_SETTING, LANE_SETTING],
  }
  const dial = { target, tls: options.tls, connectTimeoutMs, http2 }
  const { createConnection, session: makeSession } = options
  const counters = new Counters('client')
  return new DialingConnector(
    address,
    async (signal, observer) => {
      const { session, socket } = await dialSession({ ...dial, createConnection, session: makeSession }, signal)
      if (makeSession === undefined) session.setLocalWindowSize(checked.connectionWindow)
      const settings = {
        ...checked,
        format,
        counters,
        firstFrameTimeoutMs: connectTimeoutMs,
        address,
        peer: peerOf(address, session),
        socket,
        maxConcurrentStreams,
        keepAlive: { intervalMs: keepAliveIntervalMs, timeoutMs: keepAliveTimeoutMs },
      }
      return new Http2Connection(session, settings, observer)
    },
    options,
    counters,
  )
}

function peerOf(address: string, session: ClientHttp2Session): Peer {
  const socket = session.socket as Partial<TLSSocket>
  const certificate = socket.authorized === true ? socket.getPeerX509Certificate?.()?.raw : undefined
  return { transport: 'http2', address, ...(certificate && { certificate: new Uint8Array(certificate) }) }
}
