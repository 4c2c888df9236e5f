import { type Connector, DEFAULT_WINDOW, type Listener, RpcError } from '@qrpc/core'
import { MemoryConnector } from './memory-connector.ts'
import { MemoryListener } from './memory-listener.ts'
import type { StrictCodec } from './strict-channel.ts'

/** The bounds of a memory transport. */
export interface MemoryTransportOptions {
  /** Messages that each half of a channel takes before its sender waits. Default: 64. Sane: 1 to 10000. */
  readonly window?: number
  /**
   * Channels that are open at a time; further opens wait in line. Default: no limit, as for function calls: all that
   * is in flight is held by callers of the same process.
   */
  readonly maxConcurrentStreams?: number
  /**
   * A codec that every message and the data of every error go through, so that tests show what a network would not
   * carry: `createCborCodec()` of `@qrpc/wire`, or another one. Default: none; messages pass by reference.
   */
  readonly strict?: StrictCodec | undefined
  /** A name for the addresses, which are `mem:name`. Default: empty. */
  readonly name?: string
}

/** A connector and a listener in one process, which pass messages by reference. */
export interface MemoryTransport {
  readonly connector: Connector
  readonly listener: Listener
  /**
   * A listener in the place of one that was closed: a server that comes back.
   *
   * @throws RpcError `failed_precondition` while the listener before it is open.
   */
  readonly listen: () => Listener
}

/**
 * A transport inside the process. What is sent is received as it is, the very same object: neither side may change a
 * message after it was sent. In all else it behaves as over a network; with `strict` in that, too.
 *
 * @throws RpcError `invalid_argument` for limits below 1.
 */
export function createMemoryTransport(options: MemoryTransportOptions = {}): MemoryTransport {
  const { window = DEFAULT_WINDOW, maxConcurrentStreams = Number.POSITIVE_INFINITY, name = '', strict } = options
  checkLimit('window', window)
  checkLimit('maxConcurrentStreams', maxConcurrentStreams)
  const address = `mem:${name}`
  let current = new MemoryListener(address)
  return {
    connector: new MemoryConnector(address, { window, maxConcurrentStreams, strict }, () => current),
    listener: current,
    listen() {
      if (!current.closed)
        throw new RpcError('failed_precondition', `${address} is being listened to: close that first`)
      current = new MemoryListener(address)
      return current
    },
  }
}

function checkLimit(name: string, value: number): void {
  if (value >= 1) return
  throw new RpcError('invalid_argument', `${name} ${value}: give a number of 1 or more`)
}
