import { concat, type Layout } from '../engine/layout.ts'
import { WIRE_FRAMES } from './wire-frames.ts'

/** How a client begins (RFC 9113, section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

const HEAD_SIZE = 9
const LENGTH_SIZE = 3
const DATA = 0

/** In the first byte of a part: whether it is a frame without its length, or bytes as they are. */
const FRAME = 0
const RAW = 1

/** Frames of HTTP/2 (RFC 9113, section 4.1), behind the preface in the direction of a client. */
export const HTTP2_FRAMES: Layout = {
  split(input) {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
    const parts: Uint8Array[] = []
    let at = 0
    if (PREFACE.equals(bytes.subarray(0, PREFACE.length))) {
      at = PREFACE.length
      parts.push(raw(bytes.subarray(0, at)))
    }
    while (at + HEAD_SIZE <= bytes.length) {
      const end = Math.min(bytes.length, at + HEAD_SIZE + bytes.readUIntBE(at, LENGTH_SIZE))
      parts.push(concat([Uint8Array.of(FRAME), bytes.subarray(at + LENGTH_SIZE, end)]))
      at = end
    }
    if (at < bytes.length) parts.push(raw(bytes.subarray(at)))
    return parts
  },

  join: (parts) => concat(parts.flatMap(joined)),

  content(part) {
    if (part[0] !== FRAME || part.length < 1 + HEAD_SIZE - LENGTH_SIZE) return { from: 1 }
    return { from: 1 + HEAD_SIZE - LENGTH_SIZE, layout: part[1] === DATA ? WIRE_FRAMES : undefined }
  },
}

function raw(bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(RAW), bytes])
}

function joined(part: Uint8Array): Uint8Array[] {
  const rest = part.subarray(1)
  if (part[0] !== FRAME || rest.length < HEAD_SIZE - LENGTH_SIZE) return [rest]
  const length = Buffer.alloc(LENGTH_SIZE)
  length.writeUIntBE(rest.length - (HEAD_SIZE - LENGTH_SIZE), 0, LENGTH_SIZE)
  return [length, rest]
}
