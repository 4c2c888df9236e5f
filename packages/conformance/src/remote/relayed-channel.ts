import { type Channel, RpcError } from '@qrpc/core'
import type { Pulled } from './messages.ts'
import { toPlain } from './plain-error.ts'

/** A channel of the transport, as the relay reads it and writes to it. */
export class RelayedChannel {
  readonly channel: Channel
  /** A receive that was begun to see whether more is there. */
  #begun: Promise<unknown> | undefined = undefined

  constructor(channel: Channel) {
    this.channel = channel
  }

  /** One message, when it has come, and of those behind it what is there, up to `count`. */
  async pull(count: number): Promise<Pulled> {
    const messages: unknown[] = []
    const { channel } = this
    try {
      const first = this.#begun ?? channel.receive()
      this.#begun = undefined
      const message = first instanceof Promise ? await first : first
      if (!channel.ended) messages.push(message)
      while (!channel.ended && messages.length < count && this.#begun === undefined) {
        const next = channel.receive()
        if (next instanceof Promise) this.#keep(next)
        else if (!channel.ended) messages.push(next)
      }
      return { messages, ended: channel.ended, error: undefined }
    } catch (error) {
      return { messages, ended: false, error: toPlain(error) }
    }
  }

  /** @throws What the channel throws. Where nobody hears that, the half ends with it, so that the peer does not wait. */
  async send(message: unknown, last: boolean, heard: boolean): Promise<undefined> {
    try {
      await this.channel.send(message, last)
    } catch (error) {
      if (!heard) this.channel.end(RpcError.from(error, 'internal'))
      throw error
    }
  }

  #keep(next: Promise<unknown>): void {
    this.#begun = next
    next.catch(ignore)
  }
}

function ignore(): void {}
