import { RpcError } from '@qrpc/core'
import { DEFAULT_MAX_CONNECTION_BUFFER, type WireOptions } from '@qrpc/wire'

/** What both ends of a QUIC connection can be told. */
export interface QuicOptions extends WireOptions {
  /**
   * Bytes that a peer may send on one stream before they are read. Default: 1 MiB. Sane: 64 KiB to 16 MiB.
   * `initial_max_stream_data_bidi_*` of RFC 9000, section 18.2.
   */
  readonly streamWindow?: number | undefined
  /**
   * Bytes that a peer may send on all streams together before they are read. Default: 16 MiB. Sane: 16 x `streamWindow`:
   * a stream that nobody reads holds its share of it.
   */
  readonly connectionWindow?: number | undefined
  /** Bytes of decoded messages that a channel holds for its reader, besides `streamWindow`. Default: 64 KiB. */
  readonly receiveWindow?: number | undefined
  /** After how long without a packet the connection is lost, in ms. Default: 30000. The smaller one of both sides counts. */
  readonly idleTimeoutMs?: number | undefined
  /** How long a peer may take to close a stream that was cancelled, in ms, before it is reset. Default: 1000. */
  readonly closeTimeoutMs?: number | undefined
  /**
   * Bytes that a connection keeps: received and unread, incomplete messages among them, and at a server also those that
   * its client does not take. Beyond it the calls that keep the most fail with `resource_exhausted`. Default: 256 MiB.
   * Sane: 4 x `maxMessageSize` and up.
   */
  readonly maxConnectionBuffer?: number | undefined
  /**
   * Bytes that a datagram may have. Default: 1350, or 16383 to and from a loopback address. Sane: what the whole path
   * carries, from 1200; bulk data gains much from more.
   */
  readonly maxDatagramSize?: number | undefined
  /** Default: `cubic`. */
  readonly congestionControl?: 'cubic' | 'reno' | 'bbr' | undefined
  /**
   * Whether unary calls may share one stream of the connection, a lane, which makes them cheaper; both sides must agree.
   * What is lost on the way then holds up all of them, as it does over HTTP/2: turn it off for lossy networks where calls
   * must not wait for each other. Default: true.
   */
  readonly lanes?: boolean | undefined
  /** Writes the secrets of each connection to this file, for Wireshark and the like. Default: none. As SSLKEYLOGFILE. */
  readonly keyLogFile?: string | undefined
}

/** {@link QuicOptions} with the defaults filled in. */
export interface CheckedQuicOptions {
  readonly streamWindow: number
  readonly connectionWindow: number
  readonly receiveWindow: number
  readonly idleTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly maxConnectionBuffer: number
  readonly maxDatagramSize: number | undefined
  readonly congestionControl: 'cubic' | 'reno' | 'bbr'
  readonly lanes: boolean
  readonly keyLogFile: string | undefined
}

/** The smallest datagram that QUIC works with (RFC 9000, section 14). */
export const MIN_DATAGRAM_SIZE = 1200
/** The largest that quiche sends. */
export const MAX_DATAGRAM_SIZE = 16_383

const MAX_WINDOW = 2 ** 31 - 1

/** @throws RpcError `invalid_argument` that names the option that makes no sense. */
export function checkQuicOptions(options: QuicOptions): CheckedQuicOptions {
  const { streamWindow = 1024 * 1024, connectionWindow = 16 * 1024 * 1024, receiveWindow = 64 * 1024 } = options
  const { idleTimeoutMs = 30_000, closeTimeoutMs = 1000, maxDatagramSize, congestionControl = 'cubic' } = options
  checkInteger('streamWindow', streamWindow, 1, MAX_WINDOW)
  checkInteger('connectionWindow', connectionWindow, 1, MAX_WINDOW)
  const { maxConnectionBuffer = DEFAULT_MAX_CONNECTION_BUFFER } = options
  checkInteger('receiveWindow', receiveWindow, 1, MAX_WINDOW)
  checkInteger('maxConnectionBuffer', maxConnectionBuffer, 1, Number.MAX_SAFE_INTEGER)
  checkMs('idleTimeoutMs', idleTimeoutMs)
  checkMs('closeTimeoutMs', closeTimeoutMs)
  if (maxDatagramSize !== undefined) {
    checkInteger('maxDatagramSize', maxDatagramSize, MIN_DATAGRAM_SIZE, MAX_DATAGRAM_SIZE)
  }
  if (!['cubic', 'reno', 'bbr'].includes(congestionControl)) {
    throw new RpcError('invalid_argument', `congestionControl "${congestionControl}": give cubic, reno or bbr`)
  }
  const { keyLogFile, lanes = true } = options
  return {
    streamWindow,
    connectionWindow,
    receiveWindow,
    idleTimeoutMs,
    closeTimeoutMs,
    maxConnectionBuffer,
    maxDatagramSize,
    congestionControl,
    lanes,
    keyLogFile,
  }
}

/** @throws RpcError `invalid_argument` for a value that is no integer within the bounds. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RpcError('invalid_argument', `${name} ${value}: give an integer from ${min} to ${max}`)
}

/** @throws RpcError `invalid_argument` for what is no time in ms that a timer can take. */
export function checkMs(name: string, value: number): void {
  if (value > 0 && value <= MAX_WINDOW) return
  throw new RpcError('invalid_argument', `${name} ${value}: give a time in ms above 0 and up to 2^31 - 1`)
}

/** Bytes of a datagram to a host, unless the user has said otherwise: loopback carries more than any network. */
export function datagramSize(options: CheckedQuicOptions, host: string): number {
  if (options.maxDatagramSize !== undefined) return options.maxDatagramSize
  return host === '::1' || host.startsWith('127.') ? MAX_DATAGRAM_SIZE : 1350
}
