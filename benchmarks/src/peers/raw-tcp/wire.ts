import { once } from 'node:events'
import type { Socket } from 'node:net'
import { decode, encode } from 'cbor-x'

type Pattern = 'converse' | 'download' | 'echo' | 'upload'
/** A body of `undefined` ends a stream. */
export type Frame = readonly [id: number, pattern: Pattern, body: unknown]

const HEADER = 4

/** Messages over a socket: each in CBOR behind its length, those of one turn in one write. */
export class Wire {
  readonly #socket: Socket
  #rest: Buffer[] = []
  #restLength = 0
  #corked = false

  constructor(socket: Socket, onFrame: (frame: Frame) => void) {
    this.#socket = socket.setNoDelay().setMaxListeners(0)
    socket.on('data', (chunk: Buffer) => this.#read(chunk, onFrame))
    socket.on('error', () => {})
  }

  /** A promise says that the sender must wait. */
  send(...frame: Frame): Promise<unknown> | undefined {
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    const body = encode(frame)
    const header = Buffer.allocUnsafe(HEADER)
    header.writeUInt32BE(body.length)
    this.#socket.write(header)
    return this.#socket.write(body) ? undefined : once(this.#socket, 'drain')
  }

  #read(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    this.#rest.push(chunk)
    this.#restLength += chunk.length
    const needed = this.#rest[0] !== undefined && this.#rest[0].length >= HEADER ? this.#rest[0].readUInt32BE() : 0
    if (this.#restLength < HEADER + needed) return
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest)
    let offset = 0
    while (offset + HEADER <= bytes.length) {
      const end = offset + HEADER + bytes.readUInt32BE(offset)
      if (end > bytes.length) break
      onFrame(decode(bytes.subarray(offset + HEADER, end)) as Frame)
      offset = end
    }
    this.#rest = offset < bytes.length ? [bytes.subarray(offset)] : []
    this.#restLength = bytes.length - offset
  }

  close(): void {
    this.#socket.destroy()
  }
}
