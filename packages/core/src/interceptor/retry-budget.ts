import { RpcError } from '../error.ts'

/** How many calls may be tried again, measured by how many went well. */
export interface RetryBudgetOptions {
  /** What the budget holds at most and to begin with: a failed attempt takes one token. Default: 10. Sane: 10 to 100. */
  readonly maxTokens?: number
  /** What a call that went well gives back, in tokens. Default: 0.1. Sane: 0.01 to 0.5. */
  readonly tokenRatio?: number
}

/**
 * A token bucket that stops retries while more than half of it is gone: a server that fails most calls is not to get
 * each of them several times.
 *
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
 */
export class RetryBudget {
  readonly #maxTokens: number
  readonly #tokenRatio: number
  #tokens: number

  /** @throws RpcError `invalid_argument` for numbers that are not above 0. */
  constructor({ maxTokens = 10, tokenRatio = 0.1 }: RetryBudgetOptions) {
    if (!(maxTokens > 0)) throw new RpcError('invalid_argument', `retry: maxTokens ${maxTokens}: give a number above 0`)
    if (!(tokenRatio > 0))
      throw new RpcError('invalid_argument', `retry: tokenRatio ${tokenRatio}: give a number above 0`)
    this.#maxTokens = maxTokens
    this.#tokenRatio = tokenRatio
    this.#tokens = maxTokens
  }

  succeeded(): void {
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio)
  }

  /** Takes a token. False says that the call must not be tried again. */
  failed(): boolean {
    this.#tokens = Math.max(0, this.#tokens - 1)
    return this.#tokens > this.#maxTokens / 2
  }
}
