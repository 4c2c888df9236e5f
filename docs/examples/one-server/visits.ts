import { EventEmitter, once } from 'node:events'
import type { Handlers } from '@qrpc/core'
import type { Visits } from './contract.ts'

// Names come from anybody.
const MOST_NAMES = 10_000

/** The counters: what the pages and the calls have in common. */
export class Counts {
  readonly #counts = new Map<string, number>()
  readonly #changes = new EventEmitter<{ change: [] }>().setMaxListeners(0)

  /** Names beyond {@link MOST_NAMES} are not counted. */
  add(name: string): void {
    if (!this.#counts.has(name) && this.#counts.size >= MOST_NAMES) return
    this.#counts.set(name, this.of(name) + 1)
    this.#changes.emit('change')
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** The count of the name now, and whenever it has changed. Who reads slowly gets what it is by then. */
  async *watch(name: string, signal: AbortSignal): AsyncGenerator<number> {
    for (let told: number | undefined; ; ) {
      while (told === this.of(name)) await once(this.#changes, 'change', { signal })
      told = this.of(name)
      yield told
    }
  }

  /** Resolves once the name has been counted as often as that. */
  async reached(name: string, count: number): Promise<void> {
    while (this.of(name) < count) await once(this.#changes, 'change')
  }
}

export function visitsHandlers(counts: Counts): Handlers<typeof Visits> {
  return {
    count: (name) => counts.of(name),
    visited: (name) => counts.add(name),
    async visitedAll(_, names) {
      let all = 0
      for await (const name of names) {
        counts.add(name)
        all++
      }
      return all
    },
    watch: (name, { signal }) => counts.watch(name, signal),
    async *countEach(_, names) {
      for await (const name of names) yield counts.of(name)
    },
  }
}
