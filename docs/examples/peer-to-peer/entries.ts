import { EventEmitter, once } from 'node:events'
import type { Entry, Stamp } from './contract.ts'

// Peers are trusted to be who they are, and not to stop.
const MOST_ENTRIES = 10_000

/** What a node knows: some ten thousand entries at most. */
export class Entries {
  readonly #entries = new Map<string, Entry>()
  readonly #changes = new EventEmitter<{ change: [] }>().setMaxListeners(0)

  get(key: string): string | undefined {
    return this.#entries.get(key)?.value
  }

  /** A value of one's own, later than what is known. */
  write(key: string, value: string, author: string): Entry {
    const entry = { key, value, author, version: (this.#entries.get(key)?.version ?? 0) + 1 }
    this.learn(entry)
    return entry
  }

  /** Whether the entry is news that there is room for; then it is kept. */
  learn(entry: Entry): boolean {
    if (!isLater(entry, this.#entries.get(entry.key))) return false
    if (!this.#entries.has(entry.key) && this.#entries.size >= MOST_ENTRIES) return false
    this.#entries.set(entry.key, entry)
    this.#changes.emit('change')
    return true
  }

  stamps(): Map<string, Stamp> {
    return new Map([...this.#entries].map(([key, { version, author }]) => [key, { version, author }]))
  }

  laterThan(stamps: ReadonlyMap<string, Stamp>): Entry[] {
    return [...this.#entries.values()].filter((entry) => isLater(entry, stamps.get(entry.key)))
  }

  /** Resolves once the key has that value. */
  async until(key: string, value: string): Promise<void> {
    while (this.get(key) !== value) await once(this.#changes, 'change')
  }
}

function isLater(one: Stamp, other: Stamp | undefined): boolean {
  if (other === undefined || one.version !== other.version) return one.version > (other?.version ?? 0)
  return one.author > other.author
}
