import { channel } from 'node:diagnostics_channel'
import {
  type Code,
  type InterceptedCall,
  type Interceptor,
  observeCalls,
  type Pattern,
  type Peer,
  type RpcError,
} from '@qrpc/core'

/** Which end of a call tells of it. */
export type Side = 'client' | 'server'

/** The message of the channel `qrpc:call:start`. */
export interface CallStarted {
  /** Who tells it. */
  readonly side: Side
  /** The path of the method: `compute/sqr`. */
  readonly method: string
  /** How many messages go each way. */
  readonly pattern: Pattern
  /** The other side. On the client it is known at the end, where a transport took the call. */
  readonly peer: Peer | undefined
}

/** The message of the channel `qrpc:call:end`. */
export interface CallEnded extends CallStarted {
  /** The same object that the call started with, to find what was noted with it. */
  readonly started: CallStarted
  /** How the call went. */
  readonly code: Code | 'ok'
  /** What it failed with. */
  readonly error: RpcError | undefined
  /** How long it took, a stream to its end, in ms. */
  readonly durationMs: number
  /** How many updates went by. */
  readonly updates: number
  /** How many responses went by. */
  readonly responses: number
}

/** The names of the channels. */
export const CALL_START = 'qrpc:call:start'
export const CALL_END = 'qrpc:call:end'

/**
 * An interceptor that tells of each call on the channels `qrpc:call:start` and `qrpc:call:end` of `node:diagnostics_channel`.
 * A call that starts while nobody has subscribed costs next to nothing, and nobody hears of its end.
 *
 * @example `serve(Compute, handlers, listener, { interceptors: [callEvents('server')] })`
 */
export function callEvents(side: Side): Interceptor {
  const start = channel(CALL_START)
  const end = channel(CALL_END)
  return observeCalls((call) => {
    if (!start.hasSubscribers && !end.hasSubscribers) return undefined
    const started = startOf(side, call)
    start.publish(started)
    const begun = performance.now()
    let { peer } = call
    let updates = 0
    let responses = 0
    return {
      onPeer(carrying) {
        peer = carrying
      },
      onUpdate() {
        updates++
      },
      onResponse() {
        responses++
      },
      onEnd(error) {
        const durationMs = performance.now() - begun
        const code = error?.code ?? 'ok'
        const ended: CallEnded = { ...started, peer, started, code, error, durationMs, updates, responses }
        end.publish(ended)
      },
    }
  })
}

function startOf(side: Side, { method, pattern, peer }: InterceptedCall): CallStarted {
  return { side, method, pattern, peer }
}
