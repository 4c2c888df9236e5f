// Methods that are kept: a contract has far fewer, and a peer may make up any.
const MOST_KEPT = 1000

// A CBOR array of one, and the heads of a text of up to 23 bytes, and of up to 255 (RFC 8949, section 3).
const ARRAY_OF_ONE = 0x81
const TEXT = 0x60
const TEXT_WITH_LENGTH = 0x78
// Both heads, and a message of a byte.
const SHORTEST = 3

/** Tells the methods of requests that have been seen before by the bytes of their headers. */
export class MethodHeaders {
  readonly #kept = new Map<string, string>()

  /** The method of a request whose header is a method that was kept, and no more. */
  of(payload: Uint8Array): string | undefined {
    if (payload[0] !== ARRAY_OF_ONE || payload.length < SHORTEST || this.#kept.size === 0) return undefined
    const head = payload[1] as number
    if (head === TEXT_WITH_LENGTH) return this.#kept.get(text(payload, 3, payload[2] as number))
    if (head < TEXT || head > TEXT + 23) return undefined
    return this.#kept.get(text(payload, 2, head - TEXT))
  }

  /** Keeps a method, if it is of plain ASCII and not too long. */
  keep(method: string): void {
    const bytes = Buffer.from(method)
    if (bytes.length !== method.length || bytes.length > 255) return
    // Emptied when it is full, so that a peer cannot fill it for good.
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear()
    this.#kept.set(method, method)
  }
}

/** Cheaper than UTF-8; what is not ASCII is never found. */
function text(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, Math.min(start + length, bytes.length))
}
