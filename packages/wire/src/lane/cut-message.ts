import type { FrameBatch } from '../frame/frame-batch.ts'
import { varintSize, writeVarint } from '../frame/varint.ts'
import { PIECE, PIECE_SIZE, START, tagOf } from './tag.ts'

const NOTHING = new Uint8Array(0)

/** A message that is too large for one frame of a lane, on its way in pieces, so that the messages of others get theirs. */
export class CutMessage {
  readonly call: number
  /** Bytes that are still to be sent. */
  left: number
  readonly #start: Uint8Array
  #payload: Uint8Array
  #sent = 0

  /** @param size Bytes of header, head and payload, which come in this order. */
  constructor(call: number, size: number, header: Uint8Array, head: Uint8Array, payload: Uint8Array) {
    this.call = call
    this.left = size
    const sizeLength = varintSize(size)
    this.#start = new Uint8Array(sizeLength + header.length + head.length)
    writeVarint(this.#start, 0, size)
    this.#start.set(header, sizeLength)
    this.#start.set(head, sizeLength + header.length)
    this.left -= header.length + head.length
    this.#payload = payload
  }

  /** Adds the start, which tells how long the message is. It must leave in the order of the calls. */
  addStart(batch: FrameBatch): void {
    const piece = this.#take(Math.max(0, PIECE_SIZE - this.#start.length))
    // Copied: a view of it would keep the whole message in memory if that is dropped while the start waits.
    batch.add(piece, false, false, this.#start, undefined, tagOf(this.call, START))
  }

  /** Adds the next piece. */
  addPiece(batch: FrameBatch): void {
    batch.add(this.#take(PIECE_SIZE), false, true, undefined, undefined, tagOf(this.call, PIECE))
  }

  /** Nothing more of it is sent. */
  drop(): void {
    this.left = 0
    this.#payload = NOTHING
  }

  #take(size: number): Uint8Array {
    const piece = this.#payload.subarray(this.#sent, this.#sent + size)
    this.#sent += piece.length
    this.left -= piece.length
    if (this.left === 0) this.#payload = NOTHING
    return piece
  }
}
