import { LimitError } from './limit-error.ts'

/** What keeps bytes for its peer: a connection. */
export interface BufferKeeper {
  /** Bytes that it keeps now. */
  readonly kept: number
  /** Lets go of so many bytes at least, those who keep the most first, and tells them why. */
  shed(bytes: number, error: LimitError): void
}

/** The bytes that all connections of a listener may keep together, whatever the number of them and of their streams. */
export class BufferBudget {
  readonly #limit: number
  readonly #keepers = new Set<BufferKeeper>()
  #kept = 0
  #asked = false

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  join(keeper: BufferKeeper): void {
    this.#keepers.add(keeper)
  }

  leave(keeper: BufferKeeper): void {
    this.#keepers.delete(keeper)
  }

  /** A keeper keeps so many bytes more; fewer where it is below zero. */
  keeps(more: number): void {
    this.#kept += more
    if (more <= 0 || this.#kept <= this.#limit || this.#asked) return
    this.#asked = true
    // Not in the middle of what the one does who has kept too much.
    queueMicrotask(() => {
      this.#asked = false
      this.#shed()
    })
  }

  #shed(): void {
    const over = this.#kept - this.#limit
    if (over <= 0) return
    const error = new LimitError(
      'maxListenerBuffer',
      'resource_exhausted',
      `the server keeps ${this.#kept} bytes for all its clients; the limit is ${this.#limit} (maxListenerBuffer)`,
    )
    let left = over
    for (const keeper of [...this.#keepers].sort((one, other) => other.kept - one.kept)) {
      if (left <= 0) return
      const { kept } = keeper
      keeper.shed(left, error)
      // What cannot be let go of at once will be soon: another one need not go for it.
      left -= kept
    }
  }
}
