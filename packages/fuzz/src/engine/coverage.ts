import { type Profiler, Session } from 'node:inspector'

/** A function that has run, and how often each of its blocks has. */
interface RanFunction {
  readonly url: string
  readonly ranges: readonly Profiler.CoverageRange[]
}

/** What has run in some time. */
export type Ran = readonly RanFunction[]

// From now on: V8 counts the blocks of what it compiles, so that what is to be covered must be loaded after this.
const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

/** How often a piece of code ran, by powers of two from bit 0 (once) to bit 7 (128 times or more). */
const MOST_BITS = 7

/**
 * What of the code has run, as V8 counts it block by block, so that inputs that get further are told from those that do
 * not. It counts what is loaded after this module.
 */
export class Coverage {
  readonly #relevant: (url: string) => boolean
  // For each function what was seen of each of its characters.
  readonly #seen = new Map<string, Uint8Array>()
  // For one function at a time.
  #counts = new Uint32Array(0)
  #size = 0

  /** @param relevant The scripts that count. */
  constructor(relevant: (url: string) => boolean) {
    this.#relevant = relevant
    // All that has run by now.
    this.ran()
  }

  /** Characters of code that have run, those that ran more often counted again by powers of two. */
  get size(): number {
    return this.#size
  }

  /** What has run since it was last asked. */
  ran(): Ran {
    return take()
      .filter(({ url }) => this.#relevant(url))
      .flatMap(({ url, functions }) => functions.map(({ ranges }) => ({ url, ranges })))
  }

  /** Whether some of it had not run before, or not as often. */
  isNew(ran: Ran): boolean {
    return ran.some((one) => this.#compare(one, false))
  }

  /** From now on it has run before. @returns Whether some of it had not, or not as often. */
  add(ran: Ran): boolean {
    const before = this.#size
    for (const one of ran) this.#compare(one, true)
    return this.#size > before
  }

  /** @returns Whether something is new; all of it is looked at only to `keep` it. */
  #compare({ url, ranges }: RanFunction, keep: boolean): boolean {
    const [whole] = ranges
    if (whole === undefined || whole.count === 0) return false
    const { startOffset: from, endOffset: to } = whole
    const size = to - from
    const seen = this.#seenOf(`${url}:${from}`, size)
    if (this.#counts.length < size) this.#counts = new Uint32Array(size)
    const counts = this.#counts
    // The outer ones come first.
    for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset - from, endOffset - from)
    let isNew = false
    for (let at = 0; at < size; at++) {
      const count = counts[at] as number
      if (count === 0) continue
      const bit = 1 << Math.min(MOST_BITS, 31 - Math.clz32(count))
      const before = seen[at] as number
      if ((before & bit) !== 0) continue
      if (!keep) return true
      isNew = true
      seen[at] = before | bit
      this.#size++
    }
    return isNew
  }

  #seenOf(key: string, size: number): Uint8Array {
    let seen = this.#seen.get(key)
    if (seen === undefined) {
      seen = new Uint8Array(size)
      this.#seen.set(key, seen)
    }
    return seen
  }
}

/** The code that is tried: what the packages consist of, and what decodes for them. */
export function isOurs(url: string): boolean {
  return /\/packages\/(?:core|wire|transport-\w+)\/(?:src|dist)\/|\/cbor-x\//.test(url)
}

function take(): Profiler.ScriptCoverage[] {
  let scripts: Profiler.ScriptCoverage[] = []
  // The session is in this thread and answers before it returns.
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error !== null) throw error
    scripts = result
  })
  return scripts
}
