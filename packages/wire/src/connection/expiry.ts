// Generations that an item lives through: it expires after the timeout and within half of it more.
const GENERATIONS = 3

/** Expires items that are not taken out in time, with one timer for all of them. The timer keeps no process alive. */
export class Expiry<T> {
  readonly #intervalMs: number
  readonly #onExpired: (item: T) => void
  readonly #generations: Set<T>[] = Array.from({ length: GENERATIONS }, () => new Set())
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(timeoutMs: number, onExpired: (item: T) => void) {
    this.#intervalMs = Math.max(1, timeoutMs / (GENERATIONS - 1))
    this.#onExpired = onExpired
  }

  add(item: T): void {
    this.#generations[0]?.add(item)
    this.#timer ??= setInterval(() => this.#advance(), this.#intervalMs).unref()
  }

  delete(item: T): void {
    if (this.#timer === undefined) return
    for (const generation of this.#generations) if (generation.delete(item)) return
  }

  /** Nothing expires any more. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const generation of this.#generations) generation.clear()
  }

  #advance(): void {
    const expired = this.#generations.pop() as Set<T>
    this.#generations.unshift(new Set())
    if (this.#generations.every((generation) => generation.size === 0)) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    for (const item of expired) this.#onExpired(item)
  }
}
