import { decode, encode } from 'cbor-x'

const PACKED = 16 * 1024

/** Small messages in CBOR, each behind a byte with its length, as many as fit into a buffer. */
export function* packed(message: Uint8Array, count: number): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(PACKED)
  let end = 0
  for (let n = 0; n < count; n++) {
    const encoded = encode(message)
    if (end + 1 + encoded.length > PACKED) {
      yield buffer.subarray(0, end)
      buffer = Buffer.allocUnsafe(PACKED)
      end = 0
    }
    buffer[end++] = encoded.length
    buffer.set(encoded, end)
    end += encoded.length
  }
  yield buffer.subarray(0, end)
}

/** One message as {@link packed} packs it. */
export function frame(message: Uint8Array): Uint8Array {
  const encoded = encode(message)
  const framed = Buffer.allocUnsafe(1 + encoded.length)
  framed[0] = encoded.length
  framed.set(encoded, 1)
  return framed
}

/** The same buffer so many times. */
export function* repeated(buffer: Uint8Array, count: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield buffer
}

/** Takes apart what {@link packed} has packed. */
export class FrameReader {
  #rest: Uint8Array | undefined = undefined
  readonly #onMessage: (message: Uint8Array) => void

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage
  }

  read(chunk: Uint8Array): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let offset = 0
    while (offset < bytes.length) {
      const end = offset + 1 + (bytes[offset] as number)
      if (end > bytes.length) break
      this.#onMessage(decode(bytes.subarray(offset + 1, end)) as Uint8Array)
      offset = end
    }
    // A copy: who reads may use the chunk's memory again.
    this.#rest = offset < bytes.length ? Buffer.from(bytes.subarray(offset)) : undefined
  }
}

/** Messages that have arrived, and who waits for them. */
export class Inbox {
  readonly #messages: Uint8Array[] = []
  #waiting: ((message: Uint8Array | undefined) => void) | undefined = undefined
  #ended = false

  put(message: Uint8Array): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#messages.push(message)
    else waiting(message)
  }

  end(): void {
    this.#ended = true
    this.#waiting?.(undefined)
  }

  take(): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    if (this.#messages.length > 0) return this.#messages.shift()
    if (this.#ended) return undefined
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}
