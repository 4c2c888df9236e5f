import { type Channel, type CloseOptions, type Listener, type MemoryChannel, Queue, RpcError } from '@qrpc/core'
import { type ConnectionSettings, MemoryConnection } from './memory-connection.ts'

const DEFAULT_GRACE_MS = 5000
const MAX_NESTED = 16
const TURN = Promise.resolve()

// How many callbacks are on the stack, of all listeners.
let nested = 0

type Accepted = (channel: Channel | undefined) => void

/** Hands out the accepting ends of the channels that connectors open. */
export class MemoryListener implements Listener {
  readonly addresses: readonly string[]
  closed = false

  readonly #connections = new Set<MemoryConnection>()
  readonly #backlog = new Set<MemoryChannel>()
  readonly #accepting = new Queue<Accepted>()
  #callback: ((channel: Channel) => void) | undefined = undefined

  constructor(address: string) {
    this.addresses = [address]
  }

  /** A connection of a connector's own. */
  connect(settings: ConnectionSettings): MemoryConnection {
    const connection = new MemoryConnection(this, this.addresses[0] as string, settings)
    this.#connections.add(connection)
    return connection
  }

  /**
   * Takes a channel whose first message is there. The callback runs in the sender's turn, so that a call starts as the
   * call of an async function does; services that call each other in a circle get a turn of their own before the stack
   * is full.
   */
  announce(channel: MemoryChannel): void {
    const callback = this.#callback
    if (callback !== undefined) {
      if (nested < MAX_NESTED) {
        nested++
        callback(channel)
        nested--
      } else {
        void TURN.then(() => {
          // The stack is empty here, also when a callback threw and left its count behind.
          nested = 0
          callback(channel)
        })
      }
    } else if (this.#accepting.size > 0) this.#accepting.shift()?.(channel)
    else this.#backlog.add(channel)
  }

  /** Drops a channel that closed before anybody took it. */
  forget(channel: MemoryChannel): void {
    if (this.#backlog.size > 0) this.#backlog.delete(channel)
  }

  accept(): Promise<Channel | undefined> {
    if (this.#callback !== undefined) return Promise.reject(consumed())
    for (const waiting of this.#backlog) {
      this.#backlog.delete(waiting)
      return Promise.resolve(waiting)
    }
    if (this.closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#accepting.push(resolve))
  }

  onChannel(callback: (channel: Channel) => void): void {
    if (this.#callback !== undefined || this.#accepting.size > 0) throw consumed()
    if (this.closed) throw new RpcError('failed_precondition', `the listener at ${this.addresses[0]} was closed`)
    this.#callback = callback
    const waiting = [...this.#backlog]
    this.#backlog.clear()
    for (const channel of waiting) this.announce(channel)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    for (let channel = await this.accept(); channel !== undefined; channel = await this.accept()) yield channel
  }

  async close({ graceMs = DEFAULT_GRACE_MS }: CloseOptions = {}): Promise<void> {
    this.closed = true
    const refused = new RpcError('unavailable', `the server at ${this.addresses[0]} is closing`)
    for (const connection of this.#connections) connection.refuse(refused)
    for (let accept = this.#accepting.shift(); accept !== undefined; accept = this.#accepting.shift()) accept(undefined)
    await Promise.all([...this.#connections].map((connection) => connection.drain(graceMs)))
    for (const connection of this.#connections) {
      connection.sever(
        new RpcError('unavailable', 'the server closed the connection'),
        new RpcError('unavailable', 'the listener was closed'),
      )
    }
    this.#connections.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function consumed(): RpcError {
  return new RpcError('failed_precondition', 'the listener has a consumer already: one callback, or accept loops')
}
