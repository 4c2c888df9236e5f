import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { RpcError } from '@qrpc/core'
import { BufferBudget, Counters, DEFAULT_MAX_LISTENER_BUFFER, WireFormat } from '@qrpc/wire'
import { type Config, loadBinding } from '../binding.ts'
import { hostAndPort } from '../client/target.ts'
import { Endpoint } from '../endpoint/endpoint.ts'
import { endpointOf, type QuicEndpoint } from '../endpoint/quic-endpoint.ts'
import { checkInteger, checkMs, checkQuicOptions, datagramSize, type QuicOptions } from '../options.ts'
import { type CheckedCredentials, checkCredentials, type ServerCredentials } from '../tls/credentials.ts'
import { createConfig, SPARE_STREAMS } from '../tls/quic-config.ts'
import { QuicListener } from './quic-listener.ts'

/** How a listener listens, and what protects it. */
export interface QuicListenOptions extends QuicOptions {
  /** The certificate and key of the server. They can be replaced: `setSecureContext` of the listener. */
  readonly tls: ServerCredentials
  /**
   * What session tickets are encrypted with, in 48 bytes: servers behind one address that have the same one resume each
   * other's sessions. Default: one of the listener's own.
   */
  readonly ticketKey?: Uint8Array | undefined
  /**
   * Takes calls before the handshake is done, from clients that were here before and have said so, too. Who records such a
   * call can send it again (RFC 9001, section 9.2), so that clients send only methods declared `idempotent` this way. Not
   * together with `requestCert`. Default: false.
   */
  readonly earlyData?: boolean | undefined
  /** The address to listen at. Default: 127.0.0.1. All interfaces: `0.0.0.0` or `::`. */
  readonly host?: string | undefined
  /** Default: 0, any port that is free. */
  readonly port?: number | undefined
  /** A UDP socket that is shared with connectors, instead of `host` and `port`. */
  readonly endpoint?: QuicEndpoint | undefined
  /** Streams that a connection may have open at a time, and besides them calls on its lane. Default: 1000. Sane: 100 to 10000. */
  readonly maxConcurrentStreams?: number | undefined
  /** Connections at a time; further ones get no answer. Default: 10000. */
  readonly maxConnections?: number | undefined
  /**
   * Handshakes under way from which on a client must first prove that it is where it says (Retry of RFC 9000, section
   * 8.1.2), at the price of a round trip. Default: 100; 0 for always.
   */
  readonly retryAbove?: number | undefined
  /**
   * Bytes that all connections together keep, as `maxConnectionBuffer`. Beyond it calls of the connections that keep the
   * most fail with `resource_exhausted`. Default: 1 GiB. Sane: a part of the memory of the process.
   */
  readonly maxListenerBuffer?: number | undefined
  /** Streams that a client may reset or stop in 10 s before its connection is closed. Default: 200. */
  readonly maxResets?: number | undefined
  /** How long a stream may take to send its first frame, in ms. Default: 10000. */
  readonly firstFrameTimeoutMs?: number | undefined
  /** How long the handshake may take, in ms. Default: 10000. */
  readonly handshakeTimeoutMs?: number | undefined
}

const MAX_UINT31 = 2 ** 31 - 1
const TICKET_KEY_SIZE = 48

/**
 * Listens for QUIC connections.
 *
 * @example `await using server = serve(Compute, handlers, await listenQuic({ port: 4433, tls: { key, cert } }))`
 * @throws RpcError (as a rejection) `invalid_argument` for options that make no sense, `unavailable` when the address
 * is taken or not this machine's.
 * @see https://www.rfc-editor.org/rfc/rfc9000
 */
export async function listenQuic(options: QuicListenOptions): Promise<QuicListener> {
  const checked = checkQuicOptions(options)
  const { host = '127.0.0.1', port = 0, tls } = options
  const { maxConcurrentStreams = 1000, maxConnections = 10_000, maxResets = 200, retryAbove = 100 } = options
  const { firstFrameTimeoutMs = 10_000, handshakeTimeoutMs = 10_000 } = options
  const { maxListenerBuffer = DEFAULT_MAX_LISTENER_BUFFER } = options
  checkInteger('maxListenerBuffer', maxListenerBuffer, 1, Number.MAX_SAFE_INTEGER)
  checkInteger('port', port, 0, 65_535)
  checkInteger('maxConcurrentStreams', maxConcurrentStreams, 1, MAX_UINT31)
  checkInteger('maxConnections', maxConnections, 1, MAX_UINT31)
  checkInteger('maxResets', maxResets, 0, MAX_UINT31)
  checkInteger('retryAbove', retryAbove, 0, MAX_UINT31)
  checkMs('firstFrameTimeoutMs', firstFrameTimeoutMs)
  checkMs('handshakeTimeoutMs', handshakeTimeoutMs)
  const ticketKey = checkTicketKey(options.ticketKey)
  checkServerCredentials(tls)
  const format = new WireFormat(options)
  const binding = await loadBinding()
  const shared = options.endpoint && endpointOf(options.endpoint)
  if (shared?.accept !== undefined) {
    throw new RpcError('failed_precondition', 'the QUIC endpoint has a listener already')
  }
  const endpoint = shared ?? (await Endpoint.bind(binding, { host, port }))
  const local = endpoint.local
  const configFor = (tls: ServerCredentials): Config => {
    const credentials = checkServerCredentials(tls)
    const verifyPeer = tls.requestCert === true
    return createConfig(binding, checked, {
      credentials,
      verifyPeer,
      maxStreams: maxConcurrentStreams + SPARE_STREAMS,
      datagramSize: datagramSize(checked, local.host),
      earlyData: options.earlyData === true && !verifyPeer,
      ticketKey: ticketKeyFor(ticketKey, verifyPeer, credentials.ca),
    })
  }
  const settings = {
    ...checked,
    format,
    config: configFor(tls),
    configFor,
    maxConnections,
    retryAbove,
    handshakeTimeoutMs,
    firstFrameTimeoutMs,
    maxResets,
    maxLaneCalls: checked.lanes ? maxConcurrentStreams : 0,
    buffers: new BufferBudget(maxListenerBuffer),
    counters: new Counters('server'),
  }
  return new QuicListener(endpoint, shared === undefined, settings, [`quic://${hostAndPort(local.host, local.port)}`])
}

function checkServerCredentials(tls: ServerCredentials): CheckedCredentials {
  const credentials = checkCredentials(tls)
  if (credentials.cert === null) throw new RpcError('invalid_argument', 'tls: a QUIC server needs a cert and its key')
  return credentials
}

function checkTicketKey(key: Uint8Array = randomBytes(TICKET_KEY_SIZE)): Uint8Array {
  if (key.length === TICKET_KEY_SIZE) return key
  throw new RpcError('invalid_argument', `ticketKey of ${key.length} bytes: give ${TICKET_KEY_SIZE}`)
}

/** A session is resumed without a look at the client's certificate: only where the same authorities would vouch for it. */
function ticketKeyFor(key: Uint8Array, verifyPeer: boolean, authorities: Uint8Array | null): Uint8Array {
  const info = createHash('sha256').update(verifyPeer ? 'client certificates' : 'none')
  if (verifyPeer) info.update(authorities ?? 'of the system')
  return new Uint8Array(hkdfSync('sha256', key, '', info.digest(), TICKET_KEY_SIZE))
}
