import type { Peer } from '../channel/channel.ts'
import type { ContextValues } from '../context-values.ts'
import { type Pattern, streamsResponses } from '../contract/method.ts'
import type { Metadata } from '../metadata.ts'

/** A call as an interceptor sees it, on either side. */
export interface InterceptedCall {
  /** The path of the method: `compute/sqr`. */
  readonly method: string
  /** How many messages go each way. */
  readonly pattern: Pattern
  /** On the client: whether the method is declared `idempotent`, so that an interceptor may call `next` again. */
  readonly idempotent?: boolean | undefined
  /** The call's metadata. A client's interceptor may add to it before it calls `next`. */
  readonly metadata: Metadata
  /** What the interceptors of this side tell each other, and a server's handler. */
  readonly values: ContextValues
  /** Aborted when the call is cut short. */
  readonly signal: AbortSignal
  /** When the call must be over, in ms since the epoch. */
  readonly deadline: number | undefined
  /** The other side: the client on the server. On the client it is known only once a transport carries the call, and `undefined` here. */
  readonly peer: Peer | undefined
  /** Whom to tell what carries the call, on the client: an interceptor may put its own in between. */
  readonly onPeer?: ((peer: Peer) => void) | undefined
  /** The request message. */
  readonly request: unknown
  /** The updates, where the pattern has them. They are taken once: who calls `next` again must have kept them. */
  readonly updates: AsyncIterable<unknown> | undefined
}

/** How a call went, as an interceptor sees it: one response, or a stream of them. */
export interface InterceptedResult {
  /** The response of a unary or client-streaming call. */
  readonly response?: unknown
  /** The responses of a server- or bidi-streaming call. The first has arrived by now, or the end. */
  readonly responses?: AsyncIterable<unknown>
}

/** The rest of the way of a call. It rejects with what the call failed with (before its first response, where they are streamed). */
export type InterceptedNext = (call: InterceptedCall) => Promise<InterceptedResult>

/**
 * Wraps a call of any pattern, on either side: before, after, around each message, or instead of it.
 *
 * @example
 * ```ts
 * const timing: Interceptor = async (call, next) => {
 *   const start = performance.now()
 *   try {
 *     return await next(call)
 *   } finally {
 *     console.log(call.method, performance.now() - start)
 *   }
 * }
 * ```
 */
export type Interceptor = (call: InterceptedCall, next: InterceptedNext) => Promise<InterceptedResult>

const RETURNED_NOTHING = 'an interceptor returned nothing: return what next() gave, or { response } or { responses }'
const NOT_A_STREAM = 'an interceptor returned no { responses } for a call that streams them'
const NOT_ONE = 'an interceptor returned { responses } for a call that has one response: return { response }'

/**
 * One function out of many interceptors, the first outermost, with `last` at the end of the way.
 *
 * @param mistake Makes the error for an interceptor that returns something else than a result, as this side tells of its own mistakes.
 */
export function chain(
  interceptors: readonly Interceptor[],
  last: InterceptedNext,
  mistake: (message: string) => Error,
): InterceptedNext {
  return interceptors.reduceRight<InterceptedNext>(
    (next, interceptor) => async (call) => {
      const result: unknown = await interceptor(call, next)
      if (typeof result !== 'object' || result === null) throw mistake(RETURNED_NOTHING)
      const streamed = (result as InterceptedResult).responses !== undefined
      if (streamed !== streamsResponses(call.pattern)) throw mistake(streamed ? NOT_ONE : NOT_A_STREAM)
      return result
    },
    last,
  )
}
