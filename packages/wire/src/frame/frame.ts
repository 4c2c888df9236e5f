import { RpcError } from '@qrpc/core'
import { LimitError } from '../counters/limit-error.ts'

/** What a frame may hold at most unless a limit says otherwise: 16 MiB. */
export const DEFAULT_MAX_MESSAGE_SIZE: number = 16 * 1024 * 1024

// What a status takes at least that says why the one that was meant does not fit.
const SMALLEST_MAX_MESSAGE_SIZE = 128
// What fits into the length of a frame as a safe integer and into an ArrayBuffer on all supported platforms.
const LARGEST_MAX_MESSAGE_SIZE = 2 ** 32

/** One frame of a substream: a message, or a control item. */
export interface Frame {
  /** Whether the payload is a control item. An empty control frame is the clean end of the half. */
  readonly control: boolean
  /** What the frame holds. Often a view on the chunk in which it arrived: who keeps it keeps the chunk. */
  readonly payload: Uint8Array
}

/** How large frames may be. */
export interface FrameLimits {
  /**
   * Bytes that a frame's payload may have: the encoded message, and in the first frame of a call the request header
   * with it. Default: 16 MiB. Sane: 64 KiB to 1 GiB; from 128 bytes to 4 GiB.
   */
  readonly maxMessageSize?: number | undefined
}

/** @throws RpcError `invalid_argument` for a `maxMessageSize` that is no integer from 128 to 2^32. */
export function checkMaxMessageSize(maxMessageSize: number = DEFAULT_MAX_MESSAGE_SIZE): number {
  if (
    Number.isInteger(maxMessageSize) &&
    maxMessageSize >= SMALLEST_MAX_MESSAGE_SIZE &&
    maxMessageSize <= LARGEST_MAX_MESSAGE_SIZE
  ) {
    return maxMessageSize
  }
  throw new RpcError('invalid_argument', `maxMessageSize ${maxMessageSize}: give an integer from 128 to 2^32`)
}

/** The error for a message beyond the limit, on either side. */
export function tooLarge(size: number, maxMessageSize: number): RpcError {
  return new LimitError(
    'maxMessageSize',
    'resource_exhausted',
    `a message of ${size} bytes is over the maxMessageSize of ${maxMessageSize} bytes`,
  )
}
