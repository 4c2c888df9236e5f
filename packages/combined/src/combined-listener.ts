import { type Channel, type CloseOptions, type Listener, Queue, RpcError } from '@qrpc/core'

/** Hears of a listener that has failed. */
export type ListenerError = (error: unknown, name: string) => void

/** A listener and what it is called. */
export interface NamedListener {
  readonly name: string
  readonly listener: Listener
}

type Accepted = (channel: Channel | undefined) => void

/** Several listeners as one. */
export class CombinedListener implements Listener {
  readonly #members: readonly NamedListener[]
  readonly #onError: ListenerError
  // What is being accepted from each member, while somebody wants a channel.
  readonly #accepting = new Set<NamedListener>()
  readonly #ended = new Set<NamedListener>()
  readonly #backlog = new Queue<Channel>()
  readonly #waiting = new Queue<Accepted>()
  #callback = false
  #closed = false

  constructor(members: readonly NamedListener[], onError: ListenerError) {
    this.#members = members
    this.#onError = onError
  }

  get addresses(): readonly string[] {
    return this.#members.flatMap(({ listener }) => listener.addresses)
  }

  accept(): Promise<Channel | undefined> {
    if (this.#callback) return Promise.reject(consumed())
    const waiting = this.#backlog.shift()
    if (waiting !== undefined) return Promise.resolve(waiting)
    if (this.#ended.size === this.#members.length) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      for (const member of this.#members) void this.#acceptFrom(member)
    })
  }

  onChannel(callback: (channel: Channel) => void): void {
    if (this.#callback || this.#waiting.size > 0) throw consumed()
    if (this.#closed) throw new RpcError('failed_precondition', 'the listener was closed')
    this.#callback = true
    const errors: unknown[] = []
    for (const { name, listener } of this.#members) {
      try {
        listener.onChannel(callback)
      } catch (error) {
        errors.push(error)
        this.#report(error, name)
      }
    }
    if (errors.length === this.#members.length && errors.length > 0)
      throw RpcError.from(errors[0], 'failed_precondition')
    for (let channel = this.#backlog.shift(); channel !== undefined; channel = this.#backlog.shift()) callback(channel)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    for (let channel = await this.accept(); channel !== undefined; channel = await this.accept()) yield channel
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#closed = true
    await Promise.all(
      this.#members.map(async ({ name, listener }) => {
        try {
          await listener.close(options)
        } catch (error) {
          this.#report(error, name)
        }
      }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Waits for one channel of the member, unless that is under way or would be in vain. */
  async #acceptFrom(member: NamedListener): Promise<void> {
    if (this.#accepting.has(member) || this.#ended.has(member)) return
    this.#accepting.add(member)
    let channel: Channel | undefined
    try {
      channel = await member.listener.accept()
    } catch (error) {
      this.#report(error, member.name)
    }
    this.#accepting.delete(member)
    if (channel === undefined) this.#end(member)
    else this.#hand(channel)
    if (this.#waiting.size > 0) void this.#acceptFrom(member)
  }

  #hand(channel: Channel): void {
    const accept = this.#waiting.shift()
    if (accept === undefined) this.#backlog.push(channel)
    else accept(channel)
  }

  #end(member: NamedListener): void {
    this.#ended.add(member)
    if (this.#ended.size < this.#members.length) return
    for (let accept = this.#waiting.shift(); accept !== undefined; accept = this.#waiting.shift()) accept(undefined)
  }

  /** What hears of an error must not make another. */
  #report(error: unknown, name: string): void {
    try {
      this.#onError(error, name)
    } catch (thrown) {
      console.error('qrpc: onError threw', thrown)
    }
  }
}

function consumed(): RpcError {
  return new RpcError('failed_precondition', 'the listener has a consumer already: one callback, or accept loops')
}
