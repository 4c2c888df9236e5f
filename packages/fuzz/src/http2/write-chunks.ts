import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Random } from '../engine/random.ts'

const LONGEST_CHUNK = 20_000

/** Writes the bytes in chunks of any size, as long as the socket takes them. */
export async function writeChunks(socket: Socket, bytes: Uint8Array, random: Random): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; ) {
    const size = 1 + random.scale(LONGEST_CHUNK)
    socket.write(bytes.slice(at, at + size))
    at += size
    if (random.oneIn(3)) await nextTurn()
  }
}
