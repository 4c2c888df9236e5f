const LF = 0x0a

/** Makes lines of bytes. A line that is too long comes in pieces. */
export class LineSplitter {
  readonly #longest: number
  #rest: Buffer = Buffer.alloc(0)

  /** @param longest Bytes of a line. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** The lines that are whole by now. */
  push(bytes: Uint8Array): string[] {
    const all = Buffer.concat([this.#rest, bytes])
    const lines: string[] = []
    let start = 0
    while (start < all.length) {
      const found = all.indexOf(LF, start)
      const end = found === -1 ? all.length : found
      if (end - start > this.#longest) {
        lines.push(all.toString('utf8', start, start + this.#longest))
        start += this.#longest
      } else if (found === -1) break
      else {
        lines.push(all.toString('utf8', start, end))
        start = end + 1
      }
    }
    this.#rest = all.subarray(start)
    return lines
  }

  /** What came behind the last line: all there will be of it. */
  flush(): string[] {
    const lines = this.#rest.length > 0 ? [this.#rest.toString('utf8')] : []
    this.#rest = Buffer.alloc(0)
    return lines
  }
}
