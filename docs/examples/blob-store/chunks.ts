import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Large enough that the cost of a message does not matter, small enough that a window of them fits into memory. */
export const CHUNK_SIZE = 64 * 1024

/** The content of a file. The file is opened when the reading begins, so that a call that fails before leaves none open. */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path, { highWaterMark: CHUNK_SIZE })
}

/** Chunks that are hashed as they pass. */
export class HashedChunks implements AsyncIterable<Uint8Array> {
  /** The bytes that have passed. */
  size = 0
  readonly #chunks: AsyncIterable<Uint8Array>
  readonly #sha256 = createHash('sha256')
  #hash: string | undefined = undefined

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks
  }

  /** The sha256 of what has passed; nothing can pass after that. */
  get hash(): string {
    this.#hash ??= this.#sha256.digest('hex')
    return this.#hash
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#chunks) {
      this.#sha256.update(chunk)
      this.size += chunk.byteLength
      yield chunk
    }
  }
}
