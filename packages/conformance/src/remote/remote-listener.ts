import { type Channel, type CloseOptions, type Listener, RpcError } from '@qrpc/core'
import type { Link } from './link.ts'
import { RemoteChannel } from './remote-channel.ts'

/** A listener in another process: what it accepts there is handed out here. */
export class RemoteListener implements Listener {
  readonly addresses: readonly string[]
  readonly #link: Link
  readonly #listener: number
  #consumed = false
  #accepting = 0
  #closed = false

  constructor(link: Link, listener: number, addresses: readonly string[]) {
    this.#link = link
    this.#listener = listener
    this.addresses = addresses
  }

  async accept(): Promise<Channel | undefined> {
    this.#accepting++
    try {
      const accepted = await this.#link.ask('accept', { listener: this.#listener })
      return accepted && new RemoteChannel(this.#link, accepted)
    } finally {
      this.#accepting--
    }
  }

  onChannel(callback: (channel: Channel) => void): void {
    // The listener there cannot throw in this turn: what it would throw for is known here, too.
    if (this.#consumed || this.#accepting > 0) {
      throw new RpcError('failed_precondition', 'the listener has a consumer already: one callback, or accept loops')
    }
    if (this.#closed) throw new RpcError('failed_precondition', `the listener at ${this.addresses[0]} was closed`)
    this.#consumed = true
    this.#link.consume(this.#listener, (accepted) => callback(new RemoteChannel(this.#link, accepted)))
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    for (let channel = await this.accept(); channel !== undefined; channel = await this.accept()) yield channel
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#closed = true
    try {
      await this.#link.ask('close', { listener: this.#listener, options })
    } catch (error) {
      // A listener whose process is gone is closed.
      if (this.#link.failure === undefined) throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
