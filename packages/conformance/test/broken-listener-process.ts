import { type RelayOptions, relayListener } from '@qrpc/conformance/relay'
import type { Channel } from '@qrpc/core'
import { listenTcp } from './tcp/tcp-listener.ts'

/** What is wrong with the channels that are accepted here. */
const BREAKS = {
  'ignores the window': (channel: Channel): Partial<Channel> => {
    const send = channel.send.bind(channel)
    return {
      send: (message, last) => {
        void send(message, last)
        return undefined
      },
    }
  },
  'does not tell of a cancel': (): Partial<Channel> => ({ observe: () => {} }),
  'loses the end': (): Partial<Channel> => ({ end: () => {} }),
}

export type Break = keyof typeof BREAKS

relayListener(async ({ settings }: RelayOptions<Break>) => {
  const listener = await listenTcp()
  const onChannel = listener.onChannel.bind(listener)
  listener.onChannel = (callback) => {
    onChannel((channel) => callback(Object.assign(channel, BREAKS[settings](channel))))
  }
  return listener
})
