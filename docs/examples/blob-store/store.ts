import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CHUNK_SIZE, HashedChunks } from './chunks.ts'
import { Hash } from './contract.ts'

const TEMPORARY = '.incoming-'

/** A directory that holds each blob in a file named by the sha256 of its content. It has one owner at a time. */
export class BlobStore {
  readonly #directory: string
  // In the order of arrival, so that a watcher needs no queue of its own but only a place in this one.
  readonly #arrivals: string[]
  readonly #known: Set<string>
  readonly #events = new EventEmitter<{ added: [] }>()

  private constructor(directory: string, hashes: string[]) {
    this.#directory = directory
    this.#arrivals = hashes
    this.#known = new Set(hashes)
    this.#events.setMaxListeners(0)
  }

  /** Opens a store, which is made where there is none. */
  static async open(directory: string): Promise<BlobStore> {
    await mkdir(directory, { recursive: true })
    const names = await readdir(directory)
    // What an owner that crashed has left behind.
    const leftovers = names.filter((name) => name.startsWith(TEMPORARY))
    await Promise.all(leftovers.map((name) => rm(join(directory, name), { force: true })))
    return new BlobStore(directory, names.filter((name) => Hash.safeParse(name).success).sort())
  }

  /** The names of all blobs, in ascending order. */
  names(): string[] {
    return this.#arrivals.toSorted()
  }

  /** Stores a blob. Until it is complete there is nothing to be seen of it, and nothing is left of it if it never is. */
  async add(chunks: AsyncIterable<Uint8Array>): Promise<{ hash: string; size: number }> {
    const temporary = join(this.#directory, TEMPORARY + randomUUID())
    try {
      const content = new HashedChunks(chunks)
      await writeFile(temporary, content, { flag: 'wx' })
      const { hash, size } = content
      // The same content may arrive twice at a time: the last one replaces its equal.
      await rename(temporary, join(this.#directory, hash))
      this.#announce(hash)
      return { hash, size }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** The content of a blob, to be read to its end or left; `undefined` where there is no such blob. */
  async read(hash: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      const file = await open(join(this.#directory, hash))
      return file.createReadStream({ highWaterMark: CHUNK_SIZE })
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  /**
   * Names in the order of their arrival, without end.
   *
   * @param existing Whether it begins with the names that are there.
   * @throws AbortError when the signal aborts.
   */
  async *watch(existing: boolean, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    for (let next = existing ? 0 : this.#arrivals.length; ; next++) {
      while (next >= this.#arrivals.length) await once(this.#events, 'added', { signal })
      yield this.#arrivals[next] as string
    }
  }

  #announce(hash: string): void {
    if (this.#known.has(hash)) return
    this.#known.add(hash)
    this.#arrivals.push(hash)
    this.#events.emit('added')
  }
}
