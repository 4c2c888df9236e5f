import type { Peer } from '../channel/channel.ts'
import type { ContextValues } from '../context-values.ts'
import type { Metadata } from '../metadata.ts'

/** What a handler knows of its call besides the request. */
export interface Context {
  /**
   * Aborted when the caller cancels, the deadline passes or the connection is lost; never because the call went well.
   * Its `reason` is the {@link RpcError}.
   */
  readonly signal: AbortSignal
  /** When the call must be over, in ms since the epoch; `undefined` when its caller set no bound. */
  readonly deadline: number | undefined
  /** What the caller sent along. */
  readonly metadata: Metadata
  /** What the server's interceptors found out about the call. */
  readonly values: ContextValues
  /** The client, and the transport that carries the call. */
  readonly peer: Peer
  /** The path of the method: `compute/sqr`. */
  readonly method: string
}
