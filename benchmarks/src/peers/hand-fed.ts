/** Items that wait before who feeds them has to. */
const ROOM = 16

/** An async iterable that is fed by hand, for libraries that take updates in no other form. */
export class HandFed<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  #ended = false
  #wake: (() => void) | undefined = undefined
  #waiting: (() => void)[] = []

  /** A promise says that the sender must wait: some libraries read nothing until they are read from. */
  push(item: T): Promise<void> | undefined {
    this.#items.push(item)
    this.#wake?.()
    if (this.#items.length < ROOM) return undefined
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
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
        if (this.#items.length < ROOM) for (const go of this.#waiting.splice(0)) go()
      }
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
