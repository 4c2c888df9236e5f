const HEAD = 8

/** A body behind its length and the number of its call. */
export function numbered(call: number, body: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(HEAD + body.length)
  framed.writeUInt32LE(body.length, 0)
  framed.writeUInt32LE(call, 4)
  framed.set(body, HEAD)
  return framed
}

/** Takes apart what {@link numbered} has framed. */
export class NumberedFrames {
  #rest: Buffer | undefined = undefined
  readonly #onFrame: (call: number, body: Uint8Array) => void

  constructor(onFrame: (call: number, body: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let offset = 0
    while (bytes.length - offset >= HEAD) {
      const end = offset + HEAD + bytes.readUInt32LE(offset)
      if (end > bytes.length) break
      this.#onFrame(bytes.readUInt32LE(offset + 4), bytes.subarray(offset + HEAD, end))
      offset = end
    }
    this.#rest = offset < bytes.length ? bytes.subarray(offset) : undefined
  }
}
