import type { Connector, Listener } from '@qrpc/core'

/** Limits by the names of their options; a transport sets those that it is given, on the side that it is given them for. */
export interface Limits {
  readonly maxMessageSize?: number
  readonly maxHeaderSize?: number
  readonly maxDepth?: number
  readonly maxItems?: number
  readonly maxExpansion?: number
  readonly maxConcurrentStreams?: number
  readonly maxConnections?: number
  readonly maxConnectionBuffer?: number
  readonly maxListenerBuffer?: number
  readonly streamWindow?: number
  readonly receiveWindow?: number
  readonly connectTimeoutMs?: number
  readonly lanes?: boolean
}

/** What a network transport counts for an operator. */
export interface NetworkCounters {
  readonly connections: number
  readonly connectionsMade: number
  readonly connectionsFailed: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly bytesKept: number
  readonly limits: Readonly<Record<string, number>>
}

/** A transport that other processes, and strangers, can reach. */
export interface NetworkUnderTest {
  /** Listens at an address of its own. */
  listen(limits: Limits): Promise<Listener & { readonly counters: NetworkCounters }>
  /** Connects to an address of such a listener. */
  connect(address: string, limits: Limits): Connector & { readonly counters: NetworkCounters }
}
