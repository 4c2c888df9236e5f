import { RpcError } from '@qrpc/core'

/** The largest number that a varint holds: 2^62 - 1. It is beyond the safe integers; see {@link encodeVarint}. */
export const MAX_VARINT: bigint = (1n << 62n) - 1n

/** The most bytes that a varint takes. */
export const MAX_VARINT_SIZE = 8

const TWO_32 = 2 ** 32

/**
 * How many bytes the varint of `value` takes: 1, 2, 4 or 8.
 *
 * @param value An integer from 0 to `Number.MAX_SAFE_INTEGER`.
 */
export function varintSize(value: number): number {
  if (value < 0x40) return 1
  if (value < 0x4000) return 2
  return value < 0x40000000 ? 4 : 8
}

/**
 * Writes `value` as a varint (RFC 9000, section 16) in its shortest form.
 *
 * @param value An integer from 0 to `Number.MAX_SAFE_INTEGER`, which the caller has checked.
 * @returns The offset behind it.
 * @see https://www.rfc-editor.org/rfc/rfc9000#section-16
 */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  if (value < 0x40) {
    target[offset] = value
    return offset + 1
  }
  if (value < 0x4000) {
    target[offset] = 0x40 | (value >> 8)
    target[offset + 1] = value
    return offset + 2
  }
  if (value < 0x40000000) {
    writeUint32(target, offset, value)
    target[offset] = 0x80 | (value >> 24)
    return offset + 4
  }
  const high = Math.floor(value / TWO_32)
  writeUint32(target, offset, high)
  target[offset] = 0xc0 | (high >> 24)
  writeUint32(target, offset + 4, value % TWO_32)
  return offset + 8
}

/** How many bytes the varint takes whose first byte is `first`. */
export function varintSizeOf(first: number): number {
  return 1 << (first >> 6)
}

/**
 * Reads the varint at `offset`, all of whose bytes are there. Beyond `Number.MAX_SAFE_INTEGER` the result is the
 * nearest double, which is still beyond it.
 */
export function readVarint(source: Uint8Array, offset: number): number {
  const first = source[offset] as number
  if (first < 0x40) return first
  if (first < 0x80) return ((first & 0x3f) << 8) | (source[offset + 1] as number)
  const high = ((first & 0x3f) << 24) | readUint24(source, offset + 1)
  if (first < 0xc0) return high
  return high * TWO_32 + (source[offset + 4] as number) * 0x1000000 + readUint24(source, offset + 5)
}

/**
 * A varint of its own.
 *
 * @param value An integer from 0 to {@link MAX_VARINT}; a `bigint` beyond `Number.MAX_SAFE_INTEGER`.
 * @throws RpcError `out_of_range` for any other value.
 */
export function encodeVarint(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint') {
    if (value < 0n || value > MAX_VARINT) throw noVarint(value)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      const large = new Uint8Array(MAX_VARINT_SIZE)
      new DataView(large.buffer).setBigUint64(0, value | (3n << 62n))
      return large
    }
  } else if (!Number.isSafeInteger(value) || value < 0) throw noVarint(value)
  const encoded = new Uint8Array(varintSize(Number(value)))
  writeVarint(encoded, 0, Number(value))
  return encoded
}

/**
 * The varint at the start of `source` and its size in bytes; `undefined` where the source ends before it.
 * The value is a `bigint` beyond `Number.MAX_SAFE_INTEGER`.
 */
export function decodeVarint(source: Uint8Array): { value: number | bigint; size: number } | undefined {
  const first = source[0]
  if (first === undefined || source.length < varintSizeOf(first)) return undefined
  const size = varintSizeOf(first)
  const value = readVarint(source, 0)
  if (value <= Number.MAX_SAFE_INTEGER) return { value, size }
  return { value: new DataView(source.buffer, source.byteOffset, size).getBigUint64(0) & MAX_VARINT, size }
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
}

function readUint24(source: Uint8Array, offset: number): number {
  return ((source[offset] as number) << 16) | ((source[offset + 1] as number) << 8) | (source[offset + 2] as number)
}

function noVarint(value: number | bigint): RpcError {
  return new RpcError('out_of_range', `${value} is no varint: give an integer from 0 to 2^62 - 1`)
}
