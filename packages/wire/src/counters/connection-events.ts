import { channel } from 'node:diagnostics_channel'
import type { Peer, RpcError } from '@qrpc/core'
import type { LimitName } from './limit-error.ts'

/** Which end of a connection tells of it. */
export type Side = 'client' | 'server'

/** The message of the channel `qrpc:connection:open`. */
export interface ConnectionOpened {
  /** Who tells it. */
  readonly side: Side
  /** The other side, and the transport. */
  readonly peer: Peer
}

/** The message of the channel `qrpc:connection:close`. */
export interface ConnectionClosed extends ConnectionOpened {
  /** Why it is gone, and whether it was meant: `unavailable` in most cases, with a text. */
  readonly error: RpcError
  /** How long it was there, in ms. */
  readonly durationMs: number
  /** Bytes of frames that have arrived. */
  readonly bytesReceived: number
  /** Bytes of frames that were handed to the transport. */
  readonly bytesSent: number
}

/** The message of the channel `qrpc:limit`. */
export interface LimitHit {
  /** Whose limit it is. */
  readonly side: Side
  /** The option that has refused or ended something. */
  readonly limit: LimitName
  /** Whom; `undefined` where it was not known yet. */
  readonly peer: Peer | undefined
}

/** The name of the channel of `node:diagnostics_channel` that tells of each connection that was made. */
export const CONNECTION_OPEN = 'qrpc:connection:open'
/** The name of the one that tells of each connection that is gone. */
export const CONNECTION_CLOSE = 'qrpc:connection:close'
/** The name of the one that tells each time that a limit has refused or ended something. */
export const LIMIT_HIT = 'qrpc:limit'

const open = channel(CONNECTION_OPEN)
const close = channel(CONNECTION_CLOSE)
const limitHit = channel(LIMIT_HIT)

export function publishOpened(event: ConnectionOpened): void {
  if (open.hasSubscribers) open.publish(event)
}

/** @param event Makes the event where somebody hears of it. */
export function publishClosed(event: () => ConnectionClosed): void {
  if (close.hasSubscribers) close.publish(event())
}

export function publishLimit(event: LimitHit): void {
  if (limitHit.hasSubscribers) limitHit.publish(event)
}
