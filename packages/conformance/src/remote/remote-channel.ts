import {
  addObserver,
  type Channel,
  type ChannelObserver,
  type Peer,
  ReceiveHalf,
  RpcError,
  tellClosed,
} from '@qrpc/core'
import { lead } from './lead.ts'
import type { Link } from './link.ts'
import type { AcceptedChannel, Pulled } from './messages.ts'
import { fromPlain, toPlain } from './plain-error.ts'

/**
 * A channel whose transport is in another process: what is done to it is done to the channel there.
 *
 * It holds no window of its own: a message is read there when somebody waits for it here, and `send` waits until the
 * channel there has taken the message (see {@link lead} for long streams).
 */
export class RemoteChannel extends ReceiveHalf<unknown> implements Channel {
  readonly peer: Peer
  readonly #link: Link
  readonly #channel: number
  #pulling = false
  #pulled = 0
  #only = false
  #sendOver = false
  #sending = 0
  #sent = 0
  #observer: ChannelObserver | undefined = undefined
  #closed: { readonly error: RpcError | undefined } | undefined = undefined
  #sendFailure: RpcError | undefined = undefined

  constructor(link: Link, { channel, peer }: AcceptedChannel) {
    super()
    this.peer = peer
    this.#link = link
    this.#channel = channel
  }

  send(message: unknown, last = false): Promise<void> | undefined {
    const waits = !last && this.#sending >= lead(this.#sent)
    const sent = this.#send(message, last, waits)
    return waits ? sent : undefined
  }

  /** It cannot ask the channel there: it goes by how the last message fared, and says no while that is under way. */
  trySend(message: unknown): boolean {
    if (this.#sendFailure !== undefined) throw this.#sendFailure
    if (this.#sending > 0 && !this.#sendOver) return false
    void this.#send(message, false, false)
    return true
  }

  end(error?: RpcError): void {
    this.#sendOver = true
    this.#link.tell({ type: 'end', channel: this.#channel, error: error && toPlain(error) })
  }

  reset(error: RpcError): void {
    this.#sendOver = true
    this.#link.tell({ type: 'reset', channel: this.#channel, error: toPlain(error) })
  }

  override receive(): unknown {
    this.#pull()
    return super.receive()
  }

  override receiveOnly(): Promise<unknown> {
    // The half must end behind its only message.
    this.#only = true
    if (this.buffered < 2) this.#pullMore()
    return super.receiveOnly()
  }

  override started(): Promise<void> {
    const started = this.#link.ask('started', { channel: this.#channel })
    started.catch(ignore)
    return started
  }

  override [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    const iterator = super[Symbol.asyncIterator]()
    return {
      ...iterator,
      next: () => {
        this.#pull()
        return iterator.next()
      },
    }
  }

  stop(error: RpcError): void {
    this.abort(error)
    this.#link.tell({ type: 'stop', channel: this.#channel, error: toPlain(error) })
  }

  cancel(error: RpcError): void {
    this.#sendOver = true
    this.abort(error)
    this.#link.tell({ type: 'cancel', channel: this.#channel, error: toPlain(error) })
  }

  observe(observer: ChannelObserver): void {
    if (this.#closed !== undefined) {
      tellClosed(observer, this.#closed.error)
      return
    }
    const first = this.#observer === undefined
    this.#observer = addObserver(this.#observer, observer)
    if (first) this.#link.observe(this.#channel, (error) => this.#onClosed(error))
  }

  // The channel there knows what was read from it.
  protected onRoom(): void {}

  #onClosed(error: RpcError | undefined): void {
    this.#closed = { error }
    tellClosed(this.#observer, error)
  }

  #send(message: unknown, last: boolean, heard: boolean): Promise<void> {
    if (this.#link.failure !== undefined) throw this.#link.failure
    if (this.#sendOver)
      throw new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
    const asked = this.#link.ask('send', { channel: this.#channel, message, last, heard })
    this.#sendOver = last
    this.#sending++
    const sent = asked.then(
      () => this.#onSent(undefined),
      (error: RpcError) => {
        this.#onSent(error)
        throw error
      },
    )
    sent.catch(ignore)
    return sent
  }

  #onSent(failure: RpcError | undefined): void {
    this.#sending--
    this.#sent++
    this.#sendFailure = failure
  }

  /** Has a message read when there is none: somebody is about to wait for it. */
  #pull(): void {
    if (this.buffered === 0) this.#pullMore()
  }

  #pullMore(): void {
    if (this.#pulling || this.finished) return
    this.#pulling = true
    this.#link.ask('pull', { channel: this.#channel, count: 1 + lead(this.#pulled) }).then(
      (pulled) => this.#onPulled(pulled),
      (error: RpcError) => this.finish(error),
    )
  }

  #onPulled({ messages, ended, error }: Pulled): void {
    this.#pulling = false
    this.#pulled += messages.length
    // What was stopped here meanwhile is read no more.
    if (this.finished) return
    for (const message of messages) this.deliver(message, false)
    if (error !== undefined) this.finish(fromPlain(error))
    else if (ended) this.finish(undefined)
    else if (this.#only && this.buffered < 2) this.#pullMore()
  }
}

function ignore(): void {}
