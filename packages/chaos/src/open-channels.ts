import type { Channel, Connector, Listener, OpenOptions } from '@qrpc/core'

/** Told of each channel before it is used. */
export type OnChannel = (channel: Channel, side: 'client' | 'server') => void

/** The channels that are open, on either side, behind the backs of those who use them. */
export class OpenChannels {
  /** How many are open at the clients. */
  opened = 0
  /** How many are open at the servers. */
  accepted = 0
  readonly #onChannel: OnChannel | undefined

  constructor(onChannel: OnChannel | undefined) {
    this.#onChannel = onChannel
  }

  watchConnector(connector: Connector): Connector {
    const open = connector.open.bind(connector)
    const watch = (channel: Channel): Channel => {
      this.opened++
      channel.observe({ onClose: () => this.opened-- })
      this.#onChannel?.(channel, 'client')
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
        this.accepted++
        channel.observe({ onClose: () => this.accepted-- })
        this.#onChannel?.(channel, 'server')
        callback(channel)
      })
    return listener
  }
}
