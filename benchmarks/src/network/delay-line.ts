/** Passes on what is put into it after a time, in order. */
export class DelayLine<T> {
  readonly #delayMs: number
  readonly #arrive: (item: T) => void
  readonly #waiting: { readonly due: number; readonly item: T }[] = []
  #first = 0
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(delayMs: number, arrive: (item: T) => void) {
    this.#delayMs = delayMs
    this.#arrive = arrive
  }

  put(item: T): void {
    if (this.#delayMs === 0) {
      this.#arrive(item)
      return
    }
    this.#waiting.push({ due: performance.now() + this.#delayMs, item })
    this.#timer ??= setTimeout(() => this.#release(), this.#delayMs)
  }

  /** Drops what is under way. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.length = 0
    this.#first = 0
  }

  #release(): void {
    // Timers may fire a little early.
    const now = performance.now() + 0.5
    let next = this.#waiting[this.#first]
    while (next !== undefined && next.due <= now) {
      this.#first++
      this.#arrive(next.item)
      next = this.#waiting[this.#first]
    }
    this.#waiting.splice(0, this.#first)
    this.#first = 0
    this.#timer = next === undefined ? undefined : setTimeout(() => this.#release(), Math.max(0, next.due - now))
  }
}
