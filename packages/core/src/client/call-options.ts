import type { Peer } from '../channel/channel.ts'
import type { MetadataInit } from '../metadata.ts'

/** What a call can be given besides its request. */
export interface CallOptions {
  /** Cancels the call when it aborts; its reason becomes the `cause` of the `cancelled` error, or the error itself where it is an `RpcError`. */
  readonly signal?: AbortSignal | undefined
  /** How long the call may take, in ms. The earlier of `timeout` and `deadline` counts. Default: for ever. */
  readonly timeout?: number | undefined
  /** When the call must be over: a `Date`, or ms since the epoch. Default: never. */
  readonly deadline?: Date | number | undefined
  /** Keys and values for the server. Default: none. */
  readonly metadata?: MetadataInit | undefined
  /**
   * Hears which server and transport carry the call, before the request is sent; never for a call that no transport
   * took, and again for each further attempt of an interceptor that retries. Streaming calls tell it as `call.peer`, too.
   */
  readonly onPeer?: ((peer: Peer) => void) | undefined
}
