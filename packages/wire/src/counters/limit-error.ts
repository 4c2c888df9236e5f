import { type Code, RpcError } from '@qrpc/core'

/** The limits that a peer can run into, by the names of their options. */
export const LIMITS = [
  'connectTimeoutMs',
  'firstFrameTimeoutMs',
  'handshakeTimeoutMs',
  'idleTimeoutMs',
  'keepAliveTimeoutMs',
  'maxConcurrentStreams',
  'maxConnectionBuffer',
  'maxConnections',
  'maxDepth',
  'maxExpansion',
  'maxHeaderSize',
  'maxItems',
  'maxListenerBuffer',
  'maxMessageSize',
  'maxResets',
  'retryAbove',
] as const

/** The name of a limit, as `counters.limits` and `qrpc:limit` have it. */
export type LimitName = (typeof LIMITS)[number]

/** The error of what a limit of this side has refused or ended: for its counter. To the peer it is like any other. */
export class LimitError extends RpcError {
  readonly limit: LimitName

  constructor(limit: LimitName, code: Code, message: string) {
    super(code, message)
    this.limit = limit
  }
}
