import { errorForPeer, RpcError } from '../error.ts'
import type { Channel, ChannelObserver, Peer } from './channel.ts'

const NOWHERE: Peer = { transport: '', address: '' }

/** A channel that stands in for one that is still being opened: what is done to it is done once that is there. */
export class PendingChannel<Out = unknown, In = unknown> implements Channel<Out, In> {
  readonly #ready: Promise<Channel<Out, In>>
  #fail!: (error: RpcError) => void
  #channel: Channel<Out, In> | undefined = undefined
  #error: RpcError | undefined = undefined
  #observer: ChannelObserver | undefined = undefined

  constructor(opening: Promise<Channel<Out, In>>) {
    this.#ready = new Promise((resolve, reject) => {
      this.#fail = reject
      opening.then(
        (channel) => {
          this.#opened(channel)
          resolve(channel)
        },
        (error) => this.#failed(RpcError.from(error, 'unavailable')),
      )
    })
    this.#ready.catch(ignore)
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
    const sent = this.#ready.then((channel) => {
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
    this.#then((channel) => channel.end(error))
  }

  reset(error: RpcError): void {
    this.#then((channel) => channel.reset(error))
  }

  receive(): In | undefined | Promise<In | undefined> {
    if (this.#channel !== undefined) return this.#channel.receive()
    return this.#ready.then((channel) => channel.receive())
  }

  receiveOnly(): Promise<In> {
    if (this.#channel !== undefined) return this.#channel.receiveOnly()
    return this.#ready.then((channel) => channel.receiveOnly())
  }

  started(): Promise<void> {
    if (this.#channel !== undefined) return this.#channel.started()
    const started = this.#ready.then((channel) => channel.started())
    started.catch(ignore)
    return started
  }

  stop(error: RpcError): void {
    this.#then((channel) => channel.stop(error))
  }

  cancel(error: RpcError): void {
    if (this.#channel !== undefined) this.#channel.cancel(error)
    else this.#failed(error)
  }

  observe(observer: ChannelObserver): void {
    this.#observer = observer
    if (this.#channel !== undefined) this.#channel.observe(observer)
    else if (this.#error !== undefined) observer.onClose(this.#error)
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    if (this.#channel !== undefined) return this.#channel[Symbol.asyncIterator]() as AsyncIterator<In, undefined>
    let iterator: Promise<AsyncIterator<In, undefined>> | undefined
    return {
      next: () => {
        iterator ??= this.#ready.then((channel) => channel[Symbol.asyncIterator]() as AsyncIterator<In, undefined>)
        return iterator.then((ready) => ready.next())
      },
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
    this.#channel = channel
    if (this.#observer !== undefined) channel.observe(this.#observer)
  }

  #failed(error: RpcError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#fail(error)
    this.#observer?.onClose(error)
  }

  #then(action: (channel: Channel<Out, In>) => void): void {
    if (this.#channel !== undefined) action(this.#channel)
    else this.#ready.then(action).catch(ignore)
  }
}

function ignore(): void {}
