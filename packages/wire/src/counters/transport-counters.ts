import type { Peer, RpcError } from '@qrpc/core'
import { type ConnectionOpened, publishClosed, publishLimit, publishOpened, type Side } from './connection-events.ts'
import { LIMITS, LimitError, type LimitName } from './limit-error.ts'

/** What the connections of a listener or a connector have come to so far. It goes on counting: copy what is to stay. */
export interface TransportCounters {
  /** Connections that are there now. */
  readonly connections: number
  /** Connections that were made. */
  readonly connectionsMade: number
  /** Connections that came to nothing: attempts of a connector, handshakes with a listener. */
  readonly connectionsFailed: number
  /** Bytes of frames that have arrived, without what the transport adds. */
  readonly bytesReceived: number
  /** Bytes of frames that were handed to the transport. */
  readonly bytesSent: number
  /** Bytes that are kept now: received and not read, or waiting for a peer that does not read. */
  readonly bytesKept: number
  /** How often each limit has refused or ended something. */
  readonly limits: Readonly<Record<LimitName, number>>
}

/** Counts for a listener or a connector, and tells of its connections on channels of `node:diagnostics_channel`. */
export class Counters implements TransportCounters {
  connections = 0
  connectionsMade = 0
  connectionsFailed = 0
  bytesReceived = 0
  bytesSent = 0
  bytesKept = 0
  readonly limits: Record<LimitName, number>
  readonly #side: Side

  constructor(side: Side) {
    this.#side = side
    this.limits = Object.fromEntries(LIMITS.map((limit) => [limit, 0])) as Record<LimitName, number>
  }

  /** A connection was made. */
  opened(peer: Peer): CountedConnection {
    this.connections++
    this.connectionsMade++
    const connection = new CountedConnection(this, { side: this.#side, peer })
    publishOpened(connection.opened)
    return connection
  }

  /** A connection has come to nothing. */
  failed(error: unknown): void {
    this.connectionsFailed++
    this.refused(error)
  }

  /** Counts the error where a limit has caused it. */
  refused(error: unknown, peer?: Peer): void {
    if (error instanceof LimitError) this.limited(error.limit, peer)
  }

  /** A limit has refused or ended something. */
  limited(limit: LimitName, peer?: Peer): void {
    this.limits[limit]++
    publishLimit({ side: this.#side, limit, peer })
  }
}

/** The part of one connection in the counters. */
export class CountedConnection {
  readonly opened: ConnectionOpened
  readonly #counters: Counters
  readonly #since: number = performance.now()
  #bytesReceived = 0
  #bytesSent = 0
  #kept = 0

  constructor(counters: Counters, opened: ConnectionOpened) {
    this.#counters = counters
    this.opened = opened
  }

  /** Bytes that it keeps now. */
  get kept(): number {
    return this.#kept
  }

  received(bytes: number): void {
    this.#bytesReceived += bytes
    this.#counters.bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
    this.#counters.bytesSent += bytes
  }

  keeps(more: number): void {
    this.#kept += more
    this.#counters.bytesKept += more
  }

  refused(error: unknown): void {
    this.#counters.refused(error, this.opened.peer)
  }

  /** It is gone, with all that it kept. */
  closed(error: RpcError): void {
    this.#counters.connections--
    this.keeps(-this.#kept)
    this.refused(error)
    publishClosed(() => ({
      ...this.opened,
      error,
      durationMs: performance.now() - this.#since,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
    }))
  }
}
