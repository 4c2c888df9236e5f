import type { Journal } from '../server/journal.ts'

/** The calls that run on a server, by their numbers, and what happens there that must not. */
export class RunningCalls implements Journal {
  readonly wrongs: string[] = []
  /** How many have started. */
  count = 0
  readonly #running = new Set<number>()

  /** How many run now. */
  get size(): number {
    return this.#running.size
  }

  started(id: number): void {
    this.count++
    if (this.#running.has(id)) this.wrong(`call ${id} was handled twice`)
    this.#running.add(id)
  }

  ended(id: number): void {
    this.#running.delete(id)
  }

  wrong(what: string): void {
    this.wrongs.push(what)
  }
}
