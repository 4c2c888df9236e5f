import type { Passing } from './udp.ts'

const OPERATION_SIZE = 3

/** Has each byte triple of the script be what becomes of one datagram; those behind its end come through as they are. */
export function tamper(script: Uint8Array): Passing {
  let at = 0
  return (datagram) => {
    const [operation, where = 0, value = 0] = script.subarray(at, at + OPERATION_SIZE)
    at += OPERATION_SIZE
    const place = Math.floor((where / 256) * datagram.length)
    switch (operation === undefined ? 0 : operation % 8) {
      case 3:
        return []
      case 4: {
        const changed = Buffer.from(datagram)
        changed[place] = (changed[place] ?? 0) ^ (value === 0 ? 1 : value)
        // What is not authentic is dropped: the datagram is lost, or came before.
        return value % 2 === 0 ? [changed] : [changed, datagram]
      }
      case 5:
        return [datagram, datagram]
      case 6:
        return [datagram.subarray(0, place)]
      case 7:
        return [Buffer.alloc(where * OPERATION_SIZE, value), datagram]
      default:
        return [datagram]
    }
  }
}
