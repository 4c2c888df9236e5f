import { errorForPeer, RpcError } from '../error.ts'
import type { Channel, ChannelObserver, Peer } from './channel.ts'
import { addObserver, tellClosed } from './observers.ts'

const NOWHERE: Peer = { transport: '', address: '' }

interface Waiting<Out, In> {
  readonly run: (channel: Channel<Out, In>) => void
  readonly fail: (error: RpcError) => void
}

/** A channel that stands in for one that is still being opened: what is done to it is done, in order, once that is there. */
export class PendingChannel<Out = unknown, In = unknown> implements Channel<Out, In> {
  #channel: Channel<Out, In> | undefined = undefined
  #error: RpcError | undefined = undefined
  #observer: ChannelObserver | undefined = undefined
  #waiting: Waiting<Out, In>[] = []

  constructor(opening: Promise<Channel<Out, In>>) {
    opening.then(
      (channel) => this.#opened(channel),
      (error) => this.#failed(RpcError.from(error, 'unavailable')),
    )
  }

  get peer(): Peer {
    return this.#channel?.peer ?? NOWHERE
  }

  get ended(): boolean {
    return this.#channel?.ended ?? false
  }

  send(message: Out, last?: boolean): Promise<void> | undefined {
    if (this.#channel !== undefined) return this.#channel.send(message, last)
    if (this.#error !== undefined) throw this.#error
    const sent = this.#later((channel) => {
      try {
        return channel.send(message, last)
      } catch (error) {
        // The caller may be gone: whoever receives must learn that the message never left.
        channel.cancel(errorForPeer(RpcError.from(error, 'internal')))
        throw error
      }
    })
    sent.catch(ignore)
    return sent
  }

  trySend(message: Out): boolean {
    if (this.#error !== undefined) throw this.#error
    return this.#channel?.trySend(message) ?? false
  }

  end(error?: RpcError): void {
    this.#act((channel) => channel.end(error))
  }

  reset(error: RpcError): void {
    this.#act((channel) => channel.reset(error))
  }

  receive(): In | undefined | Promise<In | undefined> {
    if (this.#channel !== undefined) return this.#channel.receive()
    return this.#later((channel) => channel.receive())
  }

  receiveOnly(): Promise<In> {
    if (this.#channel !== undefined) return this.#channel.receiveOnly()
    return this.#later((channel) => channel.receiveOnly())
  }

  started(): Promise<void> {
    if (this.#channel !== undefined) return this.#channel.started()
    const started = this.#later((channel) => channel.started())
    started.catch(ignore)
    return started
  }

  stop(error: RpcError): void {
    this.#act((channel) => channel.stop(error))
  }

  cancel(error: RpcError): void {
    if (this.#channel !== undefined) this.#channel.cancel(error)
    else this.#failed(error)
  }

  observe(observer: ChannelObserver): void {
    if (this.#channel !== undefined) this.#channel.observe(observer)
    else if (this.#error !== undefined) tellClosed(observer, this.#error)
    else this.#observer = addObserver(this.#observer, observer)
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    let iterator: AsyncIterator<In, undefined> | undefined
    const iterate = (channel: Channel<Out, In>): Promise<IteratorResult<In, undefined>> => {
      iterator ??= channel[Symbol.asyncIterator]() as AsyncIterator<In, undefined>
      return iterator.next()
    }
    return {
      next: () => (this.#channel === undefined ? this.#later(iterate) : iterate(this.#channel)),
      return: () => {
        this.stop(new RpcError('cancelled', 'the reader left the loop'))
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  #opened(channel: Channel<Out, In>): void {
    if (this.#error !== undefined) {
      channel.cancel(this.#error)
      return
    }
    // What is done meanwhile joins the line: nothing may overtake the first message.
    for (const { run } of this.#waiting) {
      if (this.#error !== undefined) break
      run(channel)
    }
    this.#waiting = []
    if (this.#error !== undefined) {
      channel.cancel(this.#error)
      return
    }
    this.#channel = channel
    if (this.#observer !== undefined) channel.observe(this.#observer)
  }

  #failed(error: RpcError): void {
    if (this.#error !== undefined) return
    this.#error = error
    for (const { fail } of this.#waiting) fail(error)
    this.#waiting = []
    tellClosed(this.#observer, error)
  }

  #later<R>(action: (channel: Channel<Out, In>) => R | Promise<R>): Promise<R> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      const run = (channel: Channel<Out, In>): void => {
        try {
          resolve(action(channel))
        } catch (error) {
          reject(error)
        }
      }
      this.#waiting.push({ run, fail: reject })
    })
  }

  #act(action: (channel: Channel<Out, In>) => void): void {
    if (this.#channel !== undefined) action(this.#channel)
    else this.#later(action).catch(ignore)
  }
}

function ignore(): void {}
