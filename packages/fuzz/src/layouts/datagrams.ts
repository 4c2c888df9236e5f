import { concat, type Layout } from '../engine/layout.ts'

const LENGTH_SIZE = 2
const MOST = 65_507

/** Datagrams, each behind its length in two bytes. A part is a datagram. */
export const DATAGRAMS: Layout = {
  split(input) {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
    const parts: Uint8Array[] = []
    for (let at = 0; at + LENGTH_SIZE <= bytes.length; ) {
      const end = Math.min(bytes.length, at + LENGTH_SIZE + bytes.readUInt16BE(at))
      parts.push(bytes.subarray(at + LENGTH_SIZE, end))
      at = end
    }
    return parts
  },

  join: (parts) =>
    concat(
      parts.flatMap((part) => {
        const datagram = part.subarray(0, MOST)
        return [Uint8Array.of(datagram.length >> 8, datagram.length & 0xff), datagram]
      }),
    ),
}
