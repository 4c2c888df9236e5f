import { RpcError } from '@qrpc/core'
import { DEFAULT_MAX_CONNECTION_BUFFER, type WireOptions } from '@qrpc/wire'

/** What both ends of an HTTP/2 connection can be told. */
export interface Http2Options extends WireOptions {
  /**
   * Bytes that a peer may send on one stream before they are read. Default: 4 MiB. Sane: 64 KiB to 16 MiB.
   * SETTINGS_INITIAL_WINDOW_SIZE of RFC 9113, section 6.5.2.
   */
  readonly streamWindow?: number | undefined
  /**
   * Bytes that a peer may send on all streams together before this process has taken them in. Default: 16 MiB.
   * Sane: 4 x `streamWindow`. Node.js opens it again with each byte that arrives; {@link maxConnectionBuffer} is the limit in memory.
   */
  readonly connectionWindow?: number | undefined
  /** Bytes of decoded messages that a channel holds for its reader, besides `streamWindow`. Default: 64 KiB. */
  readonly receiveWindow?: number | undefined
  /**
   * How long a peer may take to close a stream that was cancelled, in ms, before it is reset. Default: 1000.
   * Sane: a few round trips.
   */
  readonly closeTimeoutMs?: number | undefined
  /**
   * Bytes that a connection keeps: received and unread, incomplete messages among them, and at a server also those that
   * its client does not take. Beyond it the calls that keep the most fail with `resource_exhausted`. Default: 256 MiB.
   * Sane: 4 x `maxMessageSize` and up.
   */
  readonly maxConnectionBuffer?: number | undefined
  /**
   * Whether unary calls may share one stream of the connection, a lane, which makes them many times cheaper. Both sides
   * must agree, and proxies in between rule it out; each call then has a stream of its own. Turn it off where a balancer
   * that passes settings on spreads single requests, or where each call must show as a request. Default: true.
   */
  readonly lanes?: boolean | undefined
}

/** {@link Http2Options} with the defaults filled in. */
export interface CheckedHttp2Options {
  readonly streamWindow: number
  readonly connectionWindow: number
  readonly receiveWindow: number
  readonly closeTimeoutMs: number
  readonly maxConnectionBuffer: number
  readonly lanes: boolean
}

const MAX_WINDOW = 2 ** 31 - 1
const MIN_CONNECTION_WINDOW = 65_535

/** @throws RpcError `invalid_argument` that names the option that makes no sense. */
export function checkHttp2Options(options: Http2Options): CheckedHttp2Options {
  const { streamWindow = 4 * 1024 * 1024, connectionWindow = 16 * 1024 * 1024 } = options
  const {
    receiveWindow = 64 * 1024,
    closeTimeoutMs = 1000,
    maxConnectionBuffer = DEFAULT_MAX_CONNECTION_BUFFER,
    lanes = true,
  } = options
  checkInteger('streamWindow', streamWindow, 1, MAX_WINDOW)
  checkInteger('connectionWindow', connectionWindow, MIN_CONNECTION_WINDOW, MAX_WINDOW)
  checkInteger('receiveWindow', receiveWindow, 1, MAX_WINDOW)
  checkMs('closeTimeoutMs', closeTimeoutMs)
  checkInteger('maxConnectionBuffer', maxConnectionBuffer, 1, Number.MAX_SAFE_INTEGER)
  return { streamWindow, connectionWindow, receiveWindow, closeTimeoutMs, maxConnectionBuffer, lanes }
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
