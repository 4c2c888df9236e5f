import type { RpcError } from '../error.ts'
import type { ChannelObserver } from './channel.ts'

/** The observers of a channel: none, one as it is, or a chain of them. */
export function addObserver(observers: ChannelObserver | undefined, added: ChannelObserver): ChannelObserver {
  return observers === undefined ? added : new ObserverChain(observers, added)
}

/** Tells the observers that a channel is over. One that throws keeps neither the others nor the transport from going on. */
export function tellClosed(observers: ChannelObserver | undefined, error: RpcError | undefined): void {
  if (observers === undefined) return
  try {
    observers.onClose(error)
  } catch (thrown) {
    console.error('qrpc: the observer of a channel threw', thrown)
  }
}

class ObserverChain implements ChannelObserver {
  readonly #first: ChannelObserver
  readonly #second: ChannelObserver

  constructor(first: ChannelObserver, second: ChannelObserver) {
    this.#first = first
    this.#second = second
  }

  onClose(error: RpcError | undefined): void {
    tellClosed(this.#first, error)
    tellClosed(this.#second, error)
  }
}
