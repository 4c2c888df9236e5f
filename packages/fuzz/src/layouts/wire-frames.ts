import { decodeVarint, encodeVarint } from '@qrpc/wire'
import { concat, type Layout } from '../engine/layout.ts'

/** Frames of the wire format. A part is whether it is a control frame, in one byte, and the payload. */
export const WIRE_FRAMES: Layout = {
  split(input) {
    const parts: Uint8Array[] = []
    for (let at = 0; at < input.length; ) {
      const head = decodeVarint(input.subarray(at))
      if (head === undefined) break
      const value = BigInt(head.value)
      const from = at + head.size
      // What is cut off is a frame all the same, whose head is put right.
      const end = Math.min(input.length, from + Number(value >> 1n))
      parts.push(concat([Uint8Array.of(Number(value & 1n)), input.subarray(from, end)]))
      at = end
    }
    return parts
  },

  join: (parts) =>
    concat(
      parts.flatMap((part) => {
        const [control = 0] = part
        return [encodeVarint(Math.max(0, part.length - 1) * 2 + (control & 1)), part.subarray(1)]
      }),
    ),

  content: () => ({ from: 1 }),
}
