import { RpcError } from '@qrpc/core'

/** What a CBOR message may be, the same when it is encoded and when it is decoded. */
export interface CborLimits {
  /** Arrays, objects, maps and sets inside each other. Default: 64. Sane: 16 to 200; up to 1000. */
  readonly maxDepth?: number | undefined
  /**
   * Data items of a message: each value, container and key is one, and each byte of a `bigint` beyond 64 bits.
   * Default: 1,000,000. Sane: 10,000 to 10,000,000.
   */
  readonly maxItems?: number | undefined
  /**
   * By how much the decoded message may outgrow its bytes, as an estimate of the memory that its items take. The first
   * MiB is free. Default: 32, which refuses a MiB of empty objects and lets pairs of small numbers pass. Sane: 16 to 128.
   */
  readonly maxExpansion?: number | undefined
  /**
   * Bytes that a message may have, so that one far beyond it is refused before it is encoded. Default: 16 MiB.
   * Frames have a limit of their own.
   */
  readonly maxMessageSize?: number | undefined
}

/** {@link CborLimits} with the defaults filled in. */
export interface CheckedCborLimits {
  readonly maxDepth: number
  readonly maxItems: number
  readonly maxExpansion: number
  readonly maxMessageSize: number
}

/** The longest `bigint` that travels, in bytes: cbor-x takes quadratic time to decode one. */
export const MAX_BIGNUM_SIZE = 256

// What an item takes in memory, roughly, in bytes (V8, 64 bits). Both sides count alike, or the one would send what the
// other refuses.
export const WEIGHT_OF_ITEM = 8
export const WEIGHT_OF_CONTAINER = 64
export const WEIGHT_OF_BYTES = 128
export const WEIGHT_OF_TAG = 128
/** Weight that a message may have however short it is. */
export const FREE_WEIGHT: number = 1024 * 1024

/** @throws RpcError `invalid_argument` for limits that make no sense. */
export function checkCborLimits(limits: CborLimits): CheckedCborLimits {
  const { maxDepth = 64, maxItems = 1_000_000, maxExpansion = 32, maxMessageSize = 16 * 1024 * 1024 } = limits
  checkRange('maxDepth', maxDepth, 1, 1000)
  checkRange('maxItems', maxItems, 1, Number.POSITIVE_INFINITY)
  checkRange('maxExpansion', maxExpansion, 1, Number.POSITIVE_INFINITY)
  checkRange('maxMessageSize', maxMessageSize, 1, 2 ** 32)
  return { maxDepth, maxItems, maxExpansion, maxMessageSize }
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return
  throw new RpcError('invalid_argument', `${name} ${value}: give a number from ${least} to ${most}`)
}
