import { EventEmitter, on, once } from 'node:events'
import type { Handlers } from '@qrpc/core'
import type { Visits } from './contract.ts'

/** The counters: what the pages and the calls have in common. */
export class Counts {
  readonly #counts = new Map<string, number>()
  readonly #changes = new EventEmitter().setMaxListeners(0)

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1)
    this.#changes.emit(`change ${name}`, this.of(name))
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** Each count of the name, from that of now on. */
  async *watch(name: string, signal: AbortSignal): AsyncGenerator<number> {
    const changes = on(this.#changes, `change ${name}`, { signal })
    yield this.of(name)
    for await (const [count] of changes) yield count as number
  }

  /** Resolves once the name has been counted as often as that. */
  async reached(name: string, count: number): Promise<void> {
    while (this.of(name) < count) await once(this.#changes, `change ${name}`)
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
