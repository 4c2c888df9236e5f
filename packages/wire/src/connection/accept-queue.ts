import { type Channel, Queue, RpcError } from '@qrpc/core'

/** A channel that the peer has opened. */
export interface AcceptedChannel extends Channel {
  /** Whether both halves are over. */
  readonly over: boolean
}

type Accepted = (channel: Channel | undefined) => void

/** The accepted channels of a listener on their way to its one consumer. */
export class AcceptQueue {
  readonly #backlog = new Set<AcceptedChannel>()
  readonly #accepting = new Queue<Accepted>()
  #callback: ((channel: Channel) => void) | undefined = undefined
  #closed = false

  /** Takes a channel whose first frame is there. */
  add(channel: AcceptedChannel): void {
    if (this.#callback !== undefined) this.#callback(channel)
    else if (this.#accepting.size > 0) this.#accepting.shift()?.(channel)
    else this.#backlog.add(channel)
  }

  /** Drops a channel that is gone. */
  forget(channel: AcceptedChannel): void {
    if (this.#backlog.size > 0) this.#backlog.delete(channel)
  }

  accept(): Promise<Channel | undefined> {
    if (this.#callback !== undefined) return Promise.reject(consumed())
    const waiting = this.#takeBacklog()[Symbol.iterator]().next()
    if (!waiting.done) return Promise.resolve(waiting.value)
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#accepting.push(resolve))
  }

  /** @throws RpcError `failed_precondition` when there is a consumer already, or the listener was closed. */
  onChannel(callback: (channel: Channel) => void): void {
    if (this.#callback !== undefined || this.#accepting.size > 0) throw consumed()
    if (this.#closed) throw new RpcError('failed_precondition', 'the listener was closed')
    this.#callback = callback
    for (const channel of this.#takeBacklog()) callback(channel)
  }

  /** Nothing more comes. */
  close(): void {
    this.#closed = true
    for (let accept = this.#accepting.shift(); accept !== undefined; accept = this.#accepting.shift()) accept(undefined)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    for (let channel = await this.accept(); channel !== undefined; channel = await this.accept()) yield channel
  }

  /** Channels that were cancelled while they waited are nobody's business any more. */
  *#takeBacklog(): Iterable<Channel> {
    for (const channel of this.#backlog) {
      this.#backlog.delete(channel)
      if (!channel.over) yield channel
    }
  }
}

function consumed(): RpcError {
  return new RpcError('failed_precondition', 'the listener has a consumer already: one callback, or accept loops')
}
