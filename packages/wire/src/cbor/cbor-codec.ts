import { RpcError } from '@qrpc/core'
import { Decoder, Encoder } from 'cbor-x'
import type { Codec } from '../codec.ts'
import { copyBytes } from '../copy.ts'
import { ValueChecker } from './check-value.ts'
import { type CborLimits, checkCborLimits } from './limits.ts'
import { Scanner, tooHeavy } from './scan.ts'

// Without records and shared structures no message depends on another, and keys never become code.
const SETTINGS = { useRecords: false, mapsAsObjects: true, variableMapSize: true, tagUint8Array: false }

const encoder = new Encoder(SETTINGS)
// cbor-x writes -0 as the integer 0 unless all numbers are floats.
const floatEncoder = new Encoder({ ...SETTINGS, alwaysUseFloat: true })
// Not one of the encoders: these keep a table of structures, which tags in a message could fill.
const decoder = new Decoder(SETTINGS)

// What the buffer that cbor-x keeps between messages may grow to; a large message must not leave it large.
const LARGEST_POOL = 1024 * 1024
// Up to here no message makes it larger than that.
const LARGE_MESSAGE = 64 * 1024
const POOL = 32 * 1024

// A view of its own and a DataView on it cost more than to copy a small message, where nothing decoded is a view on it.
const scratch = new Uint8Array(1024)
const decode = decoder.decode.bind(decoder) as (source: Uint8Array, end: number) => unknown

// cbor-x would mix up two messages where a getter of the one has the other encoded.
let encoding = false

const HEAD_OF_BYTES = 0x40

// Those of short byte strings, once they were needed.
const SHORT_HEADS: Uint8Array[] = []

/** The CBOR codec, which also tells where the first of several items ends. */
export interface CborCodec extends Codec {
  readonly stable: true
  bytesHead(length: number): Uint8Array
  /**
   * Checks the item at the start of `bytes`, as `decode` does before it decodes, and gives its size in bytes.
   *
   * @throws RpcError `invalid_argument` for what is no CBOR or not accepted.
   */
  sizeOfFirst(bytes: Uint8Array): number
}

/**
 * CBOR (RFC 8949) by cbor-x, checked on both sides: what does not come back as it is does not leave, and bytes that
 * would harm are not decoded. docs/wire-format.md has the table of values.
 *
 * `encode` throws `RpcError` `invalid_argument` with the path to what it refuses (`request.list[3].callback`) and
 * `resource_exhausted` for a message over `maxMessageSize`. It reads the value twice, so getters run twice.
 *
 * `decode` gives byte strings and aligned typed arrays as views on its source: who keeps one keeps the whole message.
 *
 * @throws RpcError `invalid_argument` for limits that make no sense.
 */
export function createCborCodec(limits: CborLimits = {}): CborCodec {
  const checked = checkCborLimits(limits)
  const checker = new ValueChecker(checked)
  const scanner = new Scanner(checked)
  return {
    stable: true,

    encode(value, name = 'message') {
      if (encoding)
        throw new RpcError('invalid_argument', `${name} cannot be encoded by a getter of what is being encoded`)
      encoding = true
      try {
        const refusal = checker.check(value)
        if (refusal !== undefined) throw refusal.toError(name)
        const encoded = checker.hasNegativeZero ? floatEncoder.encode(value) : encoder.encode(value)
        if (encoded.length > LARGE_MESSAGE && encoded.buffer.byteLength > LARGEST_POOL) resetPool()
        if (!checker.fits(encoded.length)) throw tooHeavy(checked.maxExpansion)
        return encoded
      } catch (error) {
        throw asRefused(error, `${name} cannot be encoded`)
      } finally {
        encoding = false
      }
    },

    decode(bytes) {
      if (scanner.scan(bytes) !== bytes.length) {
        throw new RpcError('invalid_argument', 'the message has bytes behind its end')
      }
      const first = bytes[0] as number
      if (first < 0x18) return first
      if (first >= HEAD_OF_BYTES && first < 0x60) return plainView(bytes).subarray(headSize(first))
      try {
        if (bytes.length > scratch.length || scanner.hasBytes) return decoder.decode(plainView(bytes))
        copyBytes(bytes, scratch, 0)
        return decode(scratch, bytes.length)
      } catch (error) {
        throw asRefused(error, 'the message cannot be decoded')
      }
    },

    bytesHead,

    sizeOfFirst(bytes) {
      return scanner.scan(bytes)
    },
  }
}

/** The head of a byte string (RFC 8949, section 3). */
function bytesHead(length: number): Uint8Array {
  if (length < 0x100) {
    SHORT_HEADS[length] ??= length < 24 ? Uint8Array.of(HEAD_OF_BYTES + length) : Uint8Array.of(0x58, length)
    return SHORT_HEADS[length]
  }
  if (length < 0x10000) return Uint8Array.of(0x59, length >> 8, length)
  return Uint8Array.of(0x5a, length >>> 24, length >> 16, length >> 8, length)
}

/** Bytes of the head that begins with `first`. */
function headSize(first: number): number {
  const info = first & 0x1f
  return info < 24 ? 1 : 1 + (1 << (info - 24))
}

/** A `Uint8Array` of our own: from a `Buffer` its parts would be Buffers, and cbor-x leaves a property on its source. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function resetPool(): void {
  ;(encoder as Encoder & { useBuffer(buffer: Uint8Array): void }).useBuffer(Buffer.allocUnsafeSlow(POOL))
}

/** Whatever encoding or decoding threw, as an `RpcError`. */
export function asRefused(error: unknown, message: string): RpcError {
  if (error instanceof RpcError) return error
  return new RpcError('invalid_argument', message, { cause: error })
}
