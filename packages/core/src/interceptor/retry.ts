import type { Code } from '../code.ts'
import { type Pattern, streamsUpdates } from '../contract/method.ts'
import { RpcError } from '../error.ts'
import { Metadata } from '../metadata.ts'
import type { InterceptedCall, Interceptor } from './interceptor.ts'
import { changedCall } from './original-call.ts'
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'
import { tell } from './tell.ts'

/** An attempt that failed and is made again. */
export interface RetriedAttempt {
  /** The path of the method: `compute/sqr`. */
  readonly method: string
  /** How many messages go each way. */
  readonly pattern: Pattern
  /** Which attempt failed: 1 is the first. */
  readonly attempt: number
  /** What it failed with. */
  readonly error: RpcError
  /** How long it is waited before the next one, in ms. */
  readonly delay: number
}

/** What is tried again, how often and how soon. */
export interface RetryOptions {
  /** How often a call is tried, the first attempt included. Default: 3. Sane: 2 to 5. */
  readonly attempts?: number
  /** The codes of failures after which it is tried again. Default: `unavailable`. */
  readonly codes?: readonly Code[]
  /** The longest wait before the second attempt, in ms. Default: 100. Sane: 10 to 1000. */
  readonly initialBackoff?: number
  /** The longest wait before any attempt, in ms. Default: 2000. Sane: 500 to 60000. */
  readonly maxBackoff?: number
  /** How many times longer each wait is than the one before. Default: 2. Sane: 1.5 to 3. */
  readonly multiplier?: number
  /** What keeps retries from drowning a server that is in trouble; one for all calls of the interceptor. Default: 10 tokens, and 0.1 back for each call that went well. `false`: no bound. */
  readonly budget?: RetryBudgetOptions | false
  /** Hears of each attempt that is made again. Default: nobody. */
  readonly onRetry?: (attempt: RetriedAttempt) => void
  /** A number from 0 to below 1, which the wait is multiplied by. Default: `Math.random`. */
  readonly random?: () => number
}

/**
 * An interceptor for clients that tries unary and server-streaming calls (and notify) again when they failed before
 * their first response. It does so
 *
 * - for methods declared `idempotent`, and for calls of any method that no transport took, so that no server has seen them;
 * - for calls without updates: these are taken once, so client- and bidi-streaming calls are made once, too;
 * - after a random part of a wait that grows, and only where that ends before the call's deadline;
 * - as long as the budget lasts.
 *
 * A call that is not tried again fails with the error of its last attempt. Each attempt has a copy of the metadata, and
 * interceptors after this one see each attempt as a call.
 *
 * @example `createClient(Blobs, connector, { interceptors: [retry()] })`
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function retry(options: RetryOptions = {}): Interceptor {
  const { attempts = 3, codes = ['unavailable'], onRetry } = options
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new RpcError('invalid_argument', `retry: attempts ${attempts}: give a whole number of 1 or more`)
  }
  const retried: ReadonlySet<Code> = new Set(codes)
  const budget = options.budget === false ? undefined : new RetryBudget(options.budget ?? {})
  const backoff = backoffOf(options)

  return async (call, next) => {
    if (streamsUpdates(call.pattern)) return next(call)
    for (let attempt = 1; ; attempt++) {
      let left = false
      const onPeer: InterceptedCall['onPeer'] = (peer) => {
        left = true
        call.onPeer?.(peer)
      }
      try {
        const result = await next(changedCall(call, { onPeer, metadata: new Metadata(call.metadata) }))
        budget?.succeeded()
        return result
      } catch (error) {
        if (!(error instanceof RpcError) || !retried.has(error.code)) throw error
        const affordable = budget?.failed() ?? true
        if (attempt >= attempts || !affordable || (left && call.idempotent !== true)) throw error
        const delay = backoff(attempt)
        if (call.signal.aborted || Date.now() + delay >= (call.deadline ?? Number.POSITIVE_INFINITY)) throw error
        const { method, pattern } = call
        tell('onRetry', () => onRetry?.({ method, pattern, attempt, error, delay }))
        await wait(delay, call.signal)
      }
    }
  }
}

/** How long to wait after the nth attempt, in ms. */
function backoffOf(options: RetryOptions): (attempt: number) => number {
  const { initialBackoff = 100, maxBackoff = 2_000, multiplier = 2, random = Math.random } = options
  for (const [name, value, least] of [
    ['initialBackoff', initialBackoff, 0],
    ['maxBackoff', maxBackoff, 0],
    ['multiplier', multiplier, 1],
  ] as const) {
    if (!(value >= least && value < 2 ** 31)) {
      throw new RpcError('invalid_argument', `retry: ${name} ${value}: give a number from ${least} to 2^31`)
    }
  }
  return (attempt) => random() * Math.min(maxBackoff, initialBackoff * multiplier ** (attempt - 1))
}

/** Rejects with the signal's reason as soon as it aborts. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(RpcError.from(signal.reason, 'cancelled'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
