import { RpcError } from '@qrpc/core'

/** How long a member that cannot be reached is left alone. */
export interface CircuitOptions {
  /** After its first failure, in ms. Default: 100. Sane: 50 to 1000. */
  readonly initialBackoffMs?: number | undefined
  /** After many failures in a row, in ms. Default: 5000. Sane: 1000 to 120000. */
  readonly maxBackoffMs?: number | undefined
}

const FACTOR = 2
const JITTER = 0.2

/** A circuit breaker: open after a failure, for a time that grows with each, and closed again by a success. */
export class Circuit {
  readonly #initial: number
  readonly #max: number
  #backoff = 0
  #retryAt = 0

  /** @throws RpcError `invalid_argument` for times that make no sense. */
  constructor({ initialBackoffMs = 100, maxBackoffMs = 5000 }: CircuitOptions) {
    if (!(initialBackoffMs > 0 && maxBackoffMs >= initialBackoffMs)) {
      throw new RpcError(
        'invalid_argument',
        `initialBackoffMs ${initialBackoffMs}, maxBackoffMs ${maxBackoffMs}: give times above 0, the second no less than the first`,
      )
    }
    this.#initial = initialBackoffMs
    this.#max = maxBackoffMs
  }

  /** Whether all is well as far as is known. */
  get closed(): boolean {
    return this.#backoff === 0
  }

  /** Whether it is time to try again. */
  get due(): boolean {
    return performance.now() >= this.#retryAt
  }

  succeeded(): void {
    this.#backoff = 0
  }

  failed(): void {
    // Calls that run side by side hear of one outage many times: it is one failure.
    if (!this.closed && !this.due) return
    this.#backoff = this.#backoff === 0 ? this.#initial : Math.min(this.#max, this.#backoff * FACTOR)
    this.#retryAt = performance.now() + this.#backoff * (1 - JITTER + Math.random() * 2 * JITTER)
  }
}
