import { type MetadataEntries, type Request, RpcError } from '@qrpc/core'
import type { CborCodec } from '../cbor/cbor-codec.ts'
import { LimitError } from '../counters/limit-error.ts'

/** What the header of a request may have unless a limit says otherwise: 16 KiB. */
export const DEFAULT_MAX_HEADER_SIZE: number = 16 * 1024

/** @throws RpcError `invalid_argument` for a `maxHeaderSize` below 1. */
export function checkMaxHeaderSize(maxHeaderSize: number = DEFAULT_MAX_HEADER_SIZE): number {
  if (maxHeaderSize >= 1) return maxHeaderSize
  throw new RpcError('invalid_argument', `maxHeaderSize ${maxHeaderSize}: give a number of bytes of 1 or more`)
}

/**
 * The header item of a request, to which the message is appended: an array of the method, the timeout in ms or null,
 * and the metadata; short of what is not there at its end.
 *
 * @throws RpcError `invalid_argument` for what is no request, `resource_exhausted` for a header over `maxHeaderSize` bytes.
 */
export function encodeRequestHeader(request: Request, cbor: CborCodec, maxHeaderSize: number): Uint8Array {
  const { method, timeout, metadata } = request
  const item: unknown[] = [method]
  if (timeout !== undefined || metadata !== undefined) item.push(timeout ?? null)
  if (metadata !== undefined) item.push(metadata)
  if (!isHeader(item)) throw wrongShape()
  const encoded = cbor.encode(item, 'header')
  checkSize(encoded.length, maxHeaderSize)
  return encoded
}

/** Stands in for the header where a channel was opened by hand and its first message is no request: null. */
export const NO_HEADER: Uint8Array = Uint8Array.of(0xf6)

/**
 * Splits the payload of a client's first message frame into the header, where there is one, and the bytes of the message.
 *
 * @throws RpcError `invalid_argument` for what has no header, `resource_exhausted` for a header over `maxHeaderSize` bytes.
 */
export function splitFirst(
  payload: Uint8Array,
  cbor: CborCodec,
  maxHeaderSize: number,
): { header: Omit<Request, 'message'> | undefined; message: Uint8Array } {
  if (payload[0] === NO_HEADER[0]) return { header: undefined, message: payload.subarray(1) }
  const size = cbor.sizeOfFirst(payload)
  checkSize(size, maxHeaderSize)
  const item = cbor.decode(payload.subarray(0, size))
  if (!isHeader(item)) throw wrongShape()
  const [method, timeout, metadata] = item
  return { header: { method, metadata, timeout: timeout ?? undefined }, message: payload.subarray(size) }
}

type Header = readonly [method: string, timeout?: number | null, metadata?: MetadataEntries]

function isHeader(item: unknown): item is Header {
  if (!Array.isArray(item) || item.length < 1 || item.length > 3) return false
  const [method, timeout = null, metadata] = item as unknown[]
  if (typeof method !== 'string') return false
  if (timeout !== null && !(typeof timeout === 'number' && timeout >= 0 && timeout < Number.POSITIVE_INFINITY))
    return false
  return item.length < 3 || (Array.isArray(metadata) && metadata.every(isEntry))
}

function isEntry(entry: unknown): boolean {
  if (!Array.isArray(entry) || entry.length !== 2) return false
  return typeof entry[0] === 'string' && (typeof entry[1] === 'string' || entry[1] instanceof Uint8Array)
}

function checkSize(size: number, maxHeaderSize: number): void {
  if (size <= maxHeaderSize) return
  throw new LimitError(
    'maxHeaderSize',
    'resource_exhausted',
    `a request header of ${size} bytes (method and metadata) is over the maxHeaderSize of ${maxHeaderSize} bytes`,
  )
}

function wrongShape(): RpcError {
  return new RpcError('invalid_argument', 'a request has a header of its method, timeout in ms, and metadata')
}
