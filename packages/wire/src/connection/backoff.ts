import { RpcError } from '@qrpc/core'

/** How long to wait between attempts to connect. */
export interface BackoffOptions {
  /** The wait after the first failure, in ms. Default: 50. Sane: 10 to 1000. */
  readonly initialBackoffMs?: number | undefined
  /** The longest wait, in ms. Default: 2000. Sane: 1000 to 120000. */
  readonly maxBackoffMs?: number | undefined
}

const FACTOR = 1.6
const JITTER = 0.2

/**
 * Waits that grow with each failure, spread by a fifth each way so that clients do not come back all at once.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
 */
export class Backoff {
  readonly #initial: number
  readonly #max: number
  #next: number

  /** @throws RpcError `invalid_argument` for waits that make no sense. */
  constructor({ initialBackoffMs = 50, maxBackoffMs = 2000 }: BackoffOptions = {}) {
    if (!(initialBackoffMs >= 0 && maxBackoffMs >= initialBackoffMs)) {
      throw new RpcError(
        'invalid_argument',
        `initialBackoffMs ${initialBackoffMs}, maxBackoffMs ${maxBackoffMs}: give 0 or more, the second no less than the first`,
      )
    }
    this.#initial = initialBackoffMs
    this.#max = maxBackoffMs
    this.#next = initialBackoffMs
  }

  /** After a failure: how long to wait, in ms. */
  failed(): number {
    const wait = this.#next
    this.#next = Math.min(this.#max, wait * FACTOR)
    return wait * (1 - JITTER + Math.random() * 2 * JITTER)
  }

  /** After a success: the next failure is the first again. */
  reset(): void {
    this.#next = this.#initial
  }
}
