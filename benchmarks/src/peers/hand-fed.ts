/** An async iterable that is fed by hand, for libraries that take updates in no other form. */
export class HandFed<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  #ended = false
  #wake: (() => void) | undefined = undefined
  #room: (() => void) | undefined = undefined

  /** Resolves when the item is taken, so that a sender does not run ahead. */
  push(item: T): Promise<void> {
    this.#items.push(item)
    this.#wake?.()
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for (;;) {
      while (this.#items.length > 0) {
        yield this.#items.shift() as T
        this.#room?.()
      }
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
