import { join } from 'node:path'
import type { LogItem } from './contract.ts'
import { followFile } from './follow-file.ts'
import { LineRing } from './line-ring.ts'

/** How logs are read. */
export interface LogDirectoryOptions {
  /** Lines of a file that are kept in memory while somebody follows it, of 16 KiB at most. Default: 1000. */
  readonly keep?: number
  /** How often a file is looked at, in ms. Default: 200. */
  readonly intervalMs?: number
}

interface Tail {
  readonly ring: LineRing
  /** Resolves when the last lines are there. */
  readonly started: Promise<void>
  readonly controller: AbortController
  followers: number
}

/** The logs of a directory. A file is read once, however many follow it, and not at all when nobody does. */
export class LogDirectory {
  readonly #directory: string
  readonly #keep: number
  readonly #intervalMs: number
  readonly #tails = new Map<string, Tail>()

  constructor(directory: string, { keep = 1000, intervalMs = 200 }: LogDirectoryOptions = {}) {
    this.#directory = directory
    this.#keep = keep
    this.#intervalMs = intervalMs
  }

  /** The files that are being read. */
  get open(): readonly string[] {
    return [...this.#tails.keys()]
  }

  /** How many follow a file. */
  followers(file: string): number {
    return this.#tails.get(file)?.followers ?? 0
  }

  /** @throws ENOENT when there is no such file; AbortError when the signal aborts. */
  async *follow(file: string, last: number, signal: AbortSignal): AsyncGenerator<LogItem, void, undefined> {
    const tail = this.#tails.get(file) ?? this.#begin(file)
    tail.followers++
    try {
      await tail.started
      yield* tail.ring.read(last, signal)
    } finally {
      if (--tail.followers === 0) {
        tail.controller.abort()
        if (this.#tails.get(file) === tail) this.#tails.delete(file)
      }
    }
  }

  #begin(file: string): Tail {
    const ring = new LineRing(this.#keep)
    const controller = new AbortController()
    const batches = followFile(join(this.#directory, file), this.#intervalMs, controller.signal)
    const first = batches.next().then(({ value }) => ring.begin(value ?? []))
    const tail: Tail = { ring, started: first, controller, followers: 0 }
    this.#tails.set(file, tail)
    void this.#read(file, tail, batches)
    return tail
  }

  async #read(file: string, tail: Tail, batches: AsyncIterable<string[]>): Promise<void> {
    try {
      await tail.started
      for await (const lines of batches) await tail.ring.add(lines, tail.controller.signal)
    } catch (error) {
      tail.ring.fail(error instanceof Error ? error : new Error(`${file} cannot be read`, { cause: error }))
      // Whoever comes next begins anew.
      if (this.#tails.get(file) === tail) this.#tails.delete(file)
    }
  }
}
