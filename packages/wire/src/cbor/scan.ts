import { RpcError } from '@qrpc/core'
import { LimitError } from '../counters/limit-error.ts'
import {
  type CheckedCborLimits,
  FREE_WEIGHT,
  MAX_BIGNUM_SIZE,
  WEIGHT_OF_BYTES,
  WEIGHT_OF_CONTAINER,
  WEIGHT_OF_ITEM,
  WEIGHT_OF_TAG,
} from './limits.ts'
import { elementSize, TAG_BIGNUM, TAG_DATE, TAG_MAP, TAG_NEGATIVE_BIGNUM, TAG_SET } from './tags.ts'

const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6

const FALSE = 0xf4
const UNDEFINED = 0xf7
const HALF = 0xf9
const DOUBLE = 0xfb
const BREAK = 0xff

const MAX_DATE_SECONDS = 8.64e12
const PROTO = Array.from('__proto__', (character) => character.charCodeAt(0))

const float = new DataView(new ArrayBuffer(8))

/**
 * Looks a CBOR item over before anything decodes it (RFC 8949, appendix C, and more): one pass over the heads that skips
 * the inside of strings and allocates nothing. It lets through what the encoder of this package writes, and of plain
 * CBOR what means the same.
 */
export class Scanner {
  readonly #limits: CheckedCborLimits
  // What is left to read in each container around the one that is being read, and whether that is an object.
  readonly #left: number[]
  readonly #keyed: boolean[]
  #hasBytes = false

  constructor(limits: CheckedCborLimits) {
    this.#limits = limits
    this.#left = new Array<number>(limits.maxDepth).fill(0)
    this.#keyed = new Array<boolean>(limits.maxDepth).fill(false)
  }

  /** Whether the item that was checked last has byte strings, which are decoded to views on their source. */
  get hasBytes(): boolean {
    return this.#hasBytes
  }

  /**
   * Checks the item at the start of `bytes`.
   *
   * @returns The offset behind it.
   * @throws RpcError `invalid_argument` for what must not be decoded.
   */
  scan(bytes: Uint8Array): number {
    const { maxDepth, maxItems, maxExpansion } = this.#limits
    const outerLeft = this.#left
    const outerKeyed = this.#keyed
    const end = bytes.length
    const maxWeight = FREE_WEIGHT + end * maxExpansion
    let offset = 0
    let depth = 0
    let items = 0
    let bignumBytes = 0
    // Beyond what each item weighs.
    let weight = 0
    // Items to come in the container that is being read; two for each pair of a map.
    let left = 1
    // In an object every other item, beginning with the first, is a key; as many are left then as make pairs.
    let keyed = false
    let isMap = false
    this.#hasBytes = false
    for (;;) {
      if (offset >= end) throw truncated(end)
      if (++items > maxItems) throw tooManyItems(maxItems)
      const at = offset
      const initial = bytes[offset++] as number
      const major = initial >> 5
      const info = initial & 0x1f
      if (keyed && (left & 1) === 0) {
        if (major !== TEXT) throw refused(at, 'an object with a key that is no text')
        let length = info
        if (info >= 24) {
          length = readLength(bytes, at, info)
          offset += 1 << (info - 24)
        }
        if (length > end - offset) throw truncated(end)
        if (length === PROTO.length && isProto(bytes, offset)) throw refused(at, 'a key __proto__')
        offset += length
        left--
        continue
      }
      if (major <= NEGATIVE) {
        if (info >= 24) {
          if (info > 27) throw reserved(at)
          offset += 1 << (info - 24)
          if (offset > end) throw truncated(end)
        }
      } else if (major <= TEXT) {
        let length = info
        if (info >= 24) {
          length = readLength(bytes, at, info)
          offset += 1 << (info - 24)
        }
        if (length > end - offset) throw truncated(end)
        offset += length
        if (major === BYTES) {
          weight += WEIGHT_OF_BYTES
          this.#hasBytes = true
        }
      } else if (major <= MAP) {
        let length = info
        if (info >= 24) {
          length = readLength(bytes, at, info)
          offset += 1 << (info - 24)
        }
        if (major === MAP) length *= 2
        if (length > end - offset) throw truncated(end)
        if (items + length > maxItems) throw tooManyItems(maxItems)
        if (depth === maxDepth) throw tooDeep(at, maxDepth)
        weight += WEIGHT_OF_CONTAINER
        if (weight > maxWeight) throw tooHeavy(maxExpansion)
        outerLeft[depth] = left - 1
        outerKeyed[depth] = keyed
        depth++
        left = length + 1
        keyed = major === MAP && !isMap
        isMap = false
      } else if (major === TAG) {
        let tag = info
        if (info >= 24) {
          tag = readLength(bytes, at, info)
          offset += 1 << (info - 24)
        }
        checkTag(at, tag)
        weight += WEIGHT_OF_TAG
        if (weight > maxWeight) throw tooHeavy(maxExpansion)
        if (offset >= end) throw truncated(end)
        // The tag counts as an item of its own, but takes no place in the container: its content does.
        checkTagged(bytes, offset, tag)
        if (tag === TAG_MAP) isMap = true
        else if (tag === TAG_BIGNUM || tag === TAG_NEGATIVE_BIGNUM) {
          const size = sizeOfBignum(bytes, offset)
          items += size
          bignumBytes += size
        }
        continue
      } else {
        offset += sizeOfSimple(at, initial)
        if (offset > end) throw truncated(end)
      }
      left--
      while (left === 0) {
        if (depth === 0) {
          if (weight + (items - bignumBytes) * WEIGHT_OF_ITEM > maxWeight) throw tooHeavy(maxExpansion)
          return offset
        }
        depth--
        left = outerLeft[depth] as number
        keyed = outerKeyed[depth] as boolean
      }
    }
  }
}

/** The length, count or tag behind a head of more than one byte. What it counts must be there anyway. */
function readLength(bytes: Uint8Array, at: number, info: number): number {
  if (info > 27) throw reserved(at)
  if (info === 27) throw refused(at, 'a length or tag of 64 bits')
  const size = 1 << (info - 24)
  if (at + size >= bytes.length) throw truncated(bytes.length)
  let length = bytes[at + 1] as number
  for (let i = 2; i <= size; i++) length = length * 256 + (bytes[at + i] as number)
  return length
}

function isProto(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < PROTO.length; i++) if (bytes[offset + i] !== PROTO[i]) return false
  return true
}

function checkTag(at: number, tag: number): void {
  if (tag === TAG_DATE || tag === TAG_BIGNUM || tag === TAG_NEGATIVE_BIGNUM || tag === TAG_SET || tag === TAG_MAP)
    return
  if (elementSize(tag) === 0) throw refused(at, `the tag ${tag}`)
}

/** Checks the head at `at` against the tag before it. */
function checkTagged(bytes: Uint8Array, at: number, tag: number): void {
  const initial = bytes[at] as number
  const major = initial >> 5
  if (major === TAG) throw refused(at, 'a tag on a tag')
  if (tag === TAG_DATE) checkDate(bytes, at)
  else if (tag === TAG_SET) {
    if (major !== ARRAY) throw refused(at, 'a set that is no array')
  } else if (tag === TAG_MAP) {
    if (major !== MAP) throw refused(at, 'a map that is none')
  } else {
    if (major !== BYTES) throw refused(at, `the tag ${tag} on what is no byte string`)
    const size = elementSize(tag)
    if (size > 1 && lengthAt(bytes, at) % size !== 0) throw refused(at, 'a typed array that ends within an element')
  }
}

function sizeOfBignum(bytes: Uint8Array, at: number): number {
  const size = lengthAt(bytes, at)
  if (size > MAX_BIGNUM_SIZE) throw refused(at, `a bignum of more than ${MAX_BIGNUM_SIZE} bytes`)
  return size
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const info = (bytes[at] as number) & 0x1f
  return info < 24 ? info : readLength(bytes, at, info)
}

/** Integers up to 32 bits, and floats that a `Date` can hold. */
function checkDate(bytes: Uint8Array, at: number): void {
  const initial = bytes[at] as number
  if (initial <= 0x1a || (initial >= 0x20 && initial <= 0x3a)) return
  if (initial < HALF || initial > DOUBLE) throw refused(at, 'a date that is no number of up to 32 bits and no float')
  const size = 1 << (initial - HALF + 1)
  // Where it is cut off, zeros stand in, and the scan finds that out when it goes on.
  for (let i = 0; i < size; i++) float.setUint8(i, bytes[at + 1 + i] as number)
  // Of the halves, those are out of range that are infinite or no number.
  if (size === 2 ? (float.getUint8(0) & 0x7c) === 0x7c : !(Math.abs(readFloat(size)) <= MAX_DATE_SECONDS)) {
    throw refused(at, 'a date out of range')
  }
}

function readFloat(size: number): number {
  return size === 4 ? float.getFloat32(0) : float.getFloat64(0)
}

/** Bytes behind the head of false, true, null, undefined (RFC 8949, section 3.3) or a float. */
function sizeOfSimple(at: number, initial: number): number {
  if (initial >= FALSE && initial <= UNDEFINED) return 0
  if (initial >= HALF && initial <= DOUBLE) return 1 << (initial - HALF + 1)
  if (initial === BREAK) throw reserved(at)
  throw refused(at, 'a simple value other than false, true, null and undefined')
}

function reserved(at: number): RpcError {
  return refused(at, 'a reserved head, an indefinite length or a stray break')
}

function refused(at: number, what: string): RpcError {
  return new RpcError('invalid_argument', `the message is no CBOR that is accepted here: ${what} at byte ${at}`)
}

function truncated(end: number): RpcError {
  return refused(end, 'a length beyond the end')
}

function tooDeep(at: number, maxDepth: number): LimitError {
  const { code, message } = refused(at, `containers more than ${maxDepth} deep (maxDepth)`)
  return new LimitError('maxDepth', code, message)
}

/** The error for a message with too many items. */
function tooManyItems(maxItems: number): LimitError {
  return new LimitError('maxItems', 'invalid_argument', `the message has more than ${maxItems} items (maxItems)`)
}

/** The error for a message whose items take far more memory than its bytes. */
export function tooHeavy(maxExpansion: number): LimitError {
  return new LimitError(
    'maxExpansion',
    'invalid_argument',
    `the message would take more than ${maxExpansion} times its bytes in memory (maxExpansion)`,
  )
}
