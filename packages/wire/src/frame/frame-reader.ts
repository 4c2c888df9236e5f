import { RpcError } from '@qrpc/core'
import { checkMaxMessageSize, type Frame, type FrameLimits, tooLarge } from './frame.ts'
import { MAX_VARINT_SIZE, readVarint, varintSizeOf } from './varint.ts'

// Up to here a payload gets its whole buffer with its first byte: regrowing would cost more than it protects.
// Messages of 64 KiB, with their heads, are what bulk data is cut into.
const EAGER_SIZE = 65 * 1024

const NOTHING = new Uint8Array(0)

/**
 * Takes the bytes of one direction of a substream, in chunks of any size, and gives its frames.
 *
 * ```ts
 * reader.push(chunk)
 * for (let frame = reader.next(); frame !== undefined; frame = reader.next()) handle(frame)
 * ```
 *
 * A payload that lies in one chunk is a view on it; one that does not is copied once into a buffer of its exact size.
 * Between calls the reader holds the chunk it is in, or what arrived of the frame that is incomplete: in a buffer of at
 * most 65 KiB or twice what has arrived.
 */
export class FrameReader {
  #maxMessageSize: number
  #chunk: Uint8Array = NOTHING
  #offset = 0
  #head: Uint8Array = NOTHING
  #headSize = 0
  // The frame that is incomplete: its length, what arrived of it, and where that is.
  #length = -1
  #control = false
  #received = 0
  #body: Uint8Array = NOTHING
  #error: RpcError | undefined = undefined

  /** @throws RpcError `invalid_argument` for limits that make no sense. */
  constructor(limits: FrameLimits = {}) {
    this.#maxMessageSize = checkMaxMessageSize(limits.maxMessageSize)
  }

  /** Whether a frame has begun and is not complete: at the end of the stream it was cut off. */
  get partial(): boolean {
    return this.#headSize > 0 || this.#length >= 0 || this.#offset < this.#chunk.length
  }

  /** Bytes of memory that the reader keeps for a frame that is incomplete. */
  get held(): number {
    return this.#body.length
  }

  /** Takes frames of so many bytes from now on, whatever the limit was. */
  set maxFrameSize(size: number) {
    this.#maxMessageSize = size
  }

  /**
   * Takes the next chunk. It must not change afterwards: payloads are views on it.
   *
   * @throws RpcError `failed_precondition` while the chunk before it has not been read to its end with `next`.
   */
  push(chunk: Uint8Array): void {
    if (this.#offset < this.#chunk.length) {
      throw new RpcError('failed_precondition', 'call next until it gives undefined, and then push')
    }
    this.#chunk = chunk
    this.#offset = 0
  }

  /**
   * Where the next bytes of a payload can be written instead of being pushed, which spares a copy: `undefined` unless a
   * part of it is there. {@link filled} tells how many they were.
   */
  get space(): Uint8Array | undefined {
    if (this.#received === 0) return undefined
    if (this.#received === this.#body.length) this.#grow(this.#received)
    return this.#body.subarray(this.#received)
  }

  /** So many bytes were written to {@link space}. */
  filled(size: number): void {
    this.#received += size
  }

  /**
   * The next frame, or `undefined` where more bytes are needed.
   *
   * @throws RpcError `resource_exhausted` for a frame over `maxMessageSize`, as soon as its length is there and before
   * anything of it is kept; again at each call.
   */
  next(): Frame | undefined {
    if (this.#error !== undefined) throw this.#error
    if (this.#length < 0 && !this.#readHead()) return this.#drained()
    return this.#received > 0 ? this.#continueBody() : this.#startBody()
  }

  /** Lets go of what it holds: nothing will be read any more. */
  drop(): void {
    this.#chunk = NOTHING
    this.#offset = 0
    this.#body = NOTHING
    this.#received = 0
  }

  #readHead(): boolean {
    const chunk = this.#chunk
    const first = this.#headSize > 0 ? this.#head[0] : chunk[this.#offset]
    if (first === undefined) return false
    const size = varintSizeOf(first)
    if (this.#headSize === 0 && chunk.length - this.#offset >= size) {
      const value = readVarint(chunk, this.#offset)
      this.#offset += size
      this.#startFrame(value)
      return true
    }
    if (this.#head.length === 0) this.#head = new Uint8Array(MAX_VARINT_SIZE)
    while (this.#headSize < size) {
      if (this.#offset === chunk.length) return false
      this.#head[this.#headSize++] = chunk[this.#offset++] as number
    }
    this.#headSize = 0
    this.#startFrame(readVarint(this.#head, 0))
    return true
  }

  #startFrame(value: number): void {
    const length = Math.floor(value / 2)
    if (length > this.#maxMessageSize) {
      this.#chunk = NOTHING
      this.#offset = 0
      this.#error = tooLarge(length, this.#maxMessageSize)
      throw this.#error
    }
    this.#control = value % 2 === 1
    this.#length = length
  }

  #startBody(): Frame | undefined {
    const chunk = this.#chunk
    const available = chunk.length - this.#offset
    const length = this.#length
    if (available >= length) {
      const payload = length === 0 ? NOTHING : new Uint8Array(chunk.buffer, chunk.byteOffset + this.#offset, length)
      this.#offset += length
      return this.#finish(payload)
    }
    if (available === 0) return this.#drained()
    this.#body = uninitialized(length <= EAGER_SIZE ? length : Math.min(length, Math.max(EAGER_SIZE, available * 2)))
    return this.#continueBody()
  }

  #continueBody(): Frame | undefined {
    const chunk = this.#chunk
    const taken = Math.min(this.#length - this.#received, chunk.length - this.#offset)
    const received = this.#received + taken
    if (received > this.#body.length) this.#grow(received)
    this.#body.set(chunk.subarray(this.#offset, this.#offset + taken), this.#received)
    this.#offset += taken
    this.#received = received
    if (received < this.#length) return this.#drained()
    const body = this.#body
    this.#body = NOTHING
    this.#received = 0
    return this.#finish(body)
  }

  #grow(needed: number): void {
    const grown = uninitialized(Math.min(this.#length, needed * 2))
    grown.set(this.#body.subarray(0, this.#received))
    this.#body = grown
  }

  #finish(payload: Uint8Array): Frame {
    this.#length = -1
    return { control: this.#control, payload }
  }

  #drained(): undefined {
    this.#chunk = NOTHING
    this.#offset = 0
    return undefined
  }
}

/** For bytes that are all written before anybody sees them. Not a slice of a pool: it would hold the pool's memory. */
function uninitialized(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer, 0, size)
}
