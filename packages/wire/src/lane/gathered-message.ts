import { RpcError } from '@qrpc/core'

// Up to here a message gets its whole buffer with its first piece.
const EAGER_SIZE = 65 * 1024

const NOTHING = new Uint8Array(0)

/** Bytes of memory that the messages of a lane keep that are being gathered. */
export interface Gathering {
  total: number
}

/** A message on a lane that arrives in pieces: in a buffer of at most 65 KiB or twice what has arrived. */
export class GatheredMessage {
  readonly #size: number
  readonly #gathering: Gathering
  #received = 0
  #dropped: boolean
  #bytes: Uint8Array = NOTHING

  /**
   * @param size Bytes of the whole.
   * @param dropped Whether nobody wants it: then its pieces are counted, and not kept.
   */
  constructor(size: number, dropped: boolean, gathering: Gathering) {
    this.#size = size
    this.#gathering = gathering
    this.#dropped = dropped
    if (!dropped) this.#keep(uninitialized(Math.min(size, EAGER_SIZE)))
  }

  /** Bytes of memory that it keeps. */
  get kept(): number {
    return this.#bytes.length
  }

  /** Whether all of it has arrived. */
  get complete(): boolean {
    return this.#received === this.#size
  }

  /** Hands out what was kept of it: all, once it is complete, unless it was dropped. */
  take(): Uint8Array {
    const bytes = this.#bytes
    this.#keep(NOTHING)
    return bytes
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#dropped = true
    this.#keep(NOTHING)
  }

  /** Takes the next piece. @throws RpcError `invalid_argument` where it goes beyond the end of the message. */
  add(piece: Uint8Array): void {
    const received = this.#received + piece.length
    if (received > this.#size) throw new RpcError('invalid_argument', 'a message on a lane is longer than it said')
    if (!this.#dropped) {
      if (received > this.#bytes.length) this.#grow(Math.min(this.#size, received * 2))
      this.#bytes.set(piece, this.#received)
    }
    this.#received = received
  }

  #grow(size: number): void {
    const grown = uninitialized(size)
    grown.set(this.#bytes.subarray(0, this.#received))
    this.#keep(grown)
  }

  #keep(bytes: Uint8Array): void {
    this.#gathering.total += bytes.length - this.#bytes.length
    this.#bytes = bytes
  }
}

/** For bytes that are all written before anybody sees them. Not a slice of a pool: it would hold the pool's memory. */
function uninitialized(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer, 0, size)
}
