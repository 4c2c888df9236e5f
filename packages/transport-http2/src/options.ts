import { RpcError } from '@qrpc/core'
import type { WireOptions } from '@qrpc/wire'

/** What both ends of an HTTP/2 connection can be told. */
export interface Http2Options extends WireOptions {
  /**
   * Bytes that a peer may send on one stream before they are read. Default: 4 MiB. Sane: 64 KiB to 16 MiB.
   * SETTINGS_INITIAL_WINDOW_SIZE of RFC 9113, section 6.5.2.
   */
  readonly streamWindow?: number | undefined
  /** Bytes that a peer may send on all streams together before they are read. Default: 16 MiB. Sane: 4 x `streamWindow`. */
  readonly connectionWindow?: number | undefined
  /** Bytes of decoded messages that a channel holds for its reader, besides `streamWindow`. Default: 64 KiB. */
  readonly receiveWindow?: number | undefined
  /**
   * How long a peer may take to close a stream that was cancelled, in ms, before it is reset. Default: 1000.
   * Sane: a few round trips.
   */
  readonly closeTimeoutMs?: number | undefined
}

/** {@link Http2Options} with the defaults filled in. */
export interface CheckedHttp2Options {
  readonly streamWindow: number
  readonly connectionWindow: number
  readonly receiveWindow: number
  readonly closeTimeoutMs: number
}

const MAX_WINDOW = 2 ** 31 - 1
const MIN_CONNECTION_WINDOW = 65_535

/** @throws RpcError `invalid_argument` that names the option that makes no sense. */
export function checkHttp2Options(options: Http2Options): CheckedHttp2Options {
  const { streamWindow = 4 * 1024 * 1024, connectionWindow = 16 * 1024 * 1024 } = options
  const { receiveWindow = 64 * 1024, closeTimeoutMs = 1000 } = options
  checkInteger('streamWindow', streamWindow, 1, MAX_WINDOW)
  checkInteger('connectionWindow', connectionWindow, MIN_CONNECTION_WINDOW, MAX_WINDOW)
  checkInteger('receiveWindow', receiveWindow, 1, MAX_WINDOW)
  checkMs('closeTimeoutMs', closeTimeoutMs)
  return { streamWindow, connectionWindow, receiveWindow, closeTimeoutMs }
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
