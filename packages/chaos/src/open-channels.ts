import type { Channel, Connector, Listener, OpenOptions } from '@qrpc/core'

/** Told of each channel before it is used. */
export type OnChannel = (channel: Channel, side: Side) => void

type Side = 'client' | 'server'

/** The channels that are open, on either side, behind the backs of those who use them. */
export class OpenChannels {
  readonly #open = { client: new Set<Channel>(), server: new Set<Channel>() }
  readonly #onChannel: OnChannel | undefined

  constructor(onChannel: OnChannel | undefined) {
    this.#onChannel = onChannel
  }

  /** How many are open at a side. */
  at(side: Side): number {
    return this.#open[side].size
  }

  /** Which transports those are over. */
  over(side: Side): string {
    return [...this.#open[side]].map(({ peer }) => peer.transport).join(', ')
  }

  watchConnector(connector: Connector): Connector {
    const open = connector.open.bind(connector)
    const watch = (channel: Channel): Channel => {
      this.#watch(channel, 'client')
      return channel
    }
    connector.open = (options?: OpenOptions) => {
      const opened = open(options)
      return opened instanceof Promise ? opened.then(watch) : watch(opened)
    }
    return connector
  }

  watchListener(listener: Listener): Listener {
    const onChannel = listener.onChannel.bind(listener)
    listener.onChannel = (callback) =>
      onChannel((channel) => {
        this.#watch(channel, 'server')
        callback(channel)
      })
    return listener
  }

  #watch(channel: Channel, side: Side): void {
    const open = this.#open[side]
    open.add(channel)
    channel.observe({ onClose: () => open.delete(channel) })
    this.#onChannel?.(channel, side)
  }
}
