import type { Journal } from './server/journal.ts'

const MOST_WRONGS = 50

/**
 * What the calls of all clients came to at all servers. It remembers one bit of a call that is over, so that it can go
 * on for long.
 */
export class Ledger {
  /** What happened that must not. */
  readonly wrongs: string[] = []
  /** By server, the calls that its handlers run. */
  readonly #running = new Map<string, Set<number>>()
  readonly #unconfirmed = new Set<number>()
  #handled = new Uint8Array(1024)
  #calls = 0

  /** The number of the next call. */
  nextId(): number {
    return this.#calls++
  }

  /** How many calls there were. */
  get calls(): number {
    return this.#calls
  }

  wrong(what: string): void {
    if (this.wrongs.length < MOST_WRONGS) this.wrongs.push(what)
  }

  /** What the handlers of a server tell. */
  journal(server: string): Journal {
    const running = this.#runningAt(server)
    return {
      started: (id) => {
        if (this.wasHandled(id)) this.wrong(`call ${id} was handled twice, the second time by ${server}`)
        this.#note(id)
        running.add(id)
        this.#unconfirmed.delete(id)
      },
      ended: (id) => {
        if (!running.delete(id)) this.wrong(`the handler of call ${id} has ended without a start, at ${server}`)
      },
      wrong: (what) => this.wrong(`${what}, at ${server}`),
    }
  }

  /** The server was killed, and its handlers with it. */
  killed(server: string): void {
    this.#runningAt(server).clear()
  }

  /** The client was told that its call went well. */
  succeeded(id: number): void {
    if (!this.wasHandled(id)) this.#unconfirmed.add(id)
  }

  wasHandled(id: number): boolean {
    return ((this.#handled[id >> 3] ?? 0) & (1 << (id & 7))) !== 0
  }

  isRunning(id: number): boolean {
    return [...this.#running.values()].some((running) => running.has(id))
  }

  /** How many handlers run. */
  get running(): number {
    let sum = 0
    for (const running of this.#running.values()) sum += running.size
    return sum
  }

  /** With all calls over and all that servers have to tell told: what is left open is wrong. */
  close(): void {
    for (const id of this.#unconfirmed) this.wrong(`call ${id} went well for its client, and no handler has run`)
    for (const [server, running] of this.#running) {
      for (const id of running) this.wrong(`the finally of the handler of call ${id} did not run, at ${server}`)
    }
  }

  #runningAt(server: string): Set<number> {
    let running = this.#running.get(server)
    if (running === undefined) {
      running = new Set()
      this.#running.set(server, running)
    }
    return running
  }

  #note(id: number): void {
    const at = id >> 3
    if (at >= this.#handled.length) {
      const longer = new Uint8Array(Math.max(at + 1, this.#handled.length * 2))
      longer.set(this.#handled)
      this.#handled = longer
    }
    this.#handled[at] = (this.#handled[at] ?? 0) | (1 << (id & 7))
  }
}
