import { copyBytes } from '../copy.ts'
import { checkMaxMessageSize, type FrameLimits, tooLarge } from './frame.ts'
import { varintSize, writeVarint } from './varint.ts'

/** Payloads up to this many bytes are copied into the batch's own buffer; larger ones can leave without a copy. */
export const COPY_LIMIT = 4096

const SMALLEST_PAGE = 256
const LARGEST_PAGE = 64 * 1024

const NO_TAG = -1

const NOTHING = new Uint8Array(0)

/**
 * Gathers the frames of one turn of the event loop, so that they leave in as few writes as they fit: small ones in one
 * buffer, large ones as they are.
 */
export class FrameBatch {
  readonly #maxMessageSize: number
  #buffers: Uint8Array[] = []
  // Frames go into the page from `#start`; what lies before is among the buffers already.
  #page: Uint8Array = NOTHING
  #start = 0
  #end = 0
  #size = 0
  // What the last batch took is the best guess for the next.
  #expected = SMALLEST_PAGE

  /** @throws RpcError `invalid_argument` for limits that make no sense. */
  constructor(limits: FrameLimits = {}) {
    this.#maxMessageSize = checkMaxMessageSize(limits.maxMessageSize)
  }

  /** Bytes that are in the batch. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds a frame.
   *
   * @param owned Whether the payload stays as it is until it is sent: then more than 4 KiB of it are not copied.
   * @param head Bytes that precede the payload inside the frame, and then `secondHead`; always copied.
   * @param tag A number that the frame begins with, as a varint; it does not count for `maxMessageSize`. Default: none.
   * @throws RpcError `resource_exhausted` for a frame over `maxMessageSize`; the batch is then as it was.
   */
  add(
    payload: Uint8Array,
    control: boolean,
    owned: boolean,
    head: Uint8Array = NOTHING,
    secondHead: Uint8Array = NOTHING,
    tag: number = NO_TAG,
  ): void {
    const length = head.length + secondHead.length + payload.length
    if (length > this.#maxMessageSize) throw tooLarge(length, this.#maxMessageSize)
    const tagSize = tag === NO_TAG ? 0 : varintSize(tag)
    const value = (tagSize + length) * 2 + (control ? 1 : 0)
    const byReference = owned && payload.length > COPY_LIMIT
    const headSize = varintSize(value) + tagSize + head.length + secondHead.length
    const copied = byReference ? headSize : headSize + payload.length
    if (this.#end + copied > this.#page.length) this.#makeRoom(copied)
    const page = this.#page
    let end = writeVarint(page, this.#end, value)
    if (tag !== NO_TAG) end = writeVarint(page, end, tag)
    if (head.length > 0) {
      copyBytes(head, page, end)
      end += head.length
    }
    if (secondHead.length > 0) {
      copyBytes(secondHead, page, end)
      end += secondHead.length
    }
    if (!byReference) {
      copyBytes(payload, page, end)
      end += payload.length
    }
    this.#end = end
    this.#size += headSize + payload.length
    if (byReference) {
      this.#closePart()
      this.#buffers.push(payload)
    }
  }

  /** Takes what was gathered, as buffers that belong to the caller, and empties the batch. */
  take(): Uint8Array[] {
    this.#closePart()
    const buffers = this.#buffers
    this.#expected = Math.min(LARGEST_PAGE, Math.max(SMALLEST_PAGE, this.#end))
    this.#buffers = []
    this.#page = NOTHING
    this.#start = 0
    this.#end = 0
    this.#size = 0
    return buffers
  }

  #closePart(): void {
    if (this.#end === this.#start) return
    const page = this.#page
    this.#buffers.push(new Uint8Array(page.buffer, page.byteOffset + this.#start, this.#end - this.#start))
    this.#start = this.#end
  }

  #makeRoom(needed: number): void {
    const part = this.#end - this.#start
    if (part > 0 && part + needed > LARGEST_PAGE) {
      this.#closePart()
      this.#page = newPage(Math.max(needed, LARGEST_PAGE))
      this.#start = 0
      this.#end = 0
      return
    }
    const page = newPage(Math.max(this.#expected, part === 0 ? needed : (part + needed) * 2))
    page.set(this.#page.subarray(this.#start, this.#end))
    this.#page = page
    this.#start = 0
    this.#end = part
  }
}

/** Only what was written of it ever leaves; small ones come out of Node's pool. */
function newPage(size: number): Uint8Array {
  return Buffer.allocUnsafe(size)
}
