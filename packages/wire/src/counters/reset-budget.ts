import { LimitError } from './limit-error.ts'

const WINDOW_MS = 10_000

/**
 * Counts the streams that a peer has reset: one that opens and resets them has the server work for nothing
 * (CVE-2023-44487), and so has one that makes the server reset them (CVE-2025-8671).
 */
export class ResetBudget {
  readonly #maxResets: number
  #resets = 0
  #since = 0

  /** @param maxResets Resets in 10 s that are forgiven. */
  constructor(maxResets: number) {
    this.#maxResets = maxResets
  }

  /** Counts one. @returns Why the connection must end, once they are too many. */
  count(): LimitError | undefined {
    const now = performance.now()
    if (now - this.#since > WINDOW_MS) {
      this.#since = now
      this.#resets = 0
    }
    if (++this.#resets <= this.#maxResets) return undefined
    return new LimitError(
      'maxResets',
      'resource_exhausted',
      `the client has reset more than ${this.#maxResets} streams in 10 s`,
    )
  }
}
