const INITIAL_CAPACITY = 16

/** A first-in, first-out queue on a ring that grows by doubling. */
export class Queue<T> {
  #ring: (T | undefined)[] = new Array(INITIAL_CAPACITY)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size++
  }

  /** The oldest item; `undefined` when empty. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    return item
  }

  #grow(): void {
    const ring = this.#ring
    const grown = new Array<T | undefined>(ring.length * 2)
    for (let i = 0; i < this.#size; i++) grown[i] = ring[(this.#head + i) & (ring.length - 1)]
    this.#ring = grown
    this.#head = 0
  }
}
