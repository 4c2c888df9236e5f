import type { RelayOptions } from '@qrpc/conformance/relay'
import { type Channel, createChannelPair, type Listener, RpcError } from '@qrpc/core'

type ClientName = 'silent' | 'echo' | 'talkative'

/** What a test asks of this process. */
export interface PairSettings {
  /** What the client at the other end of each accepted channel does. */
  readonly client: ClientName
  readonly certificate?: Uint8Array
  /** What a listener forgets when it is closed. */
  readonly forget?: 'timer' | 'rejection'
}

export const WINDOW = 4

let sent = 0

const CLIENTS: Record<ClientName, (channel: Channel) => Promise<void>> = {
  async silent() {},
  async echo(channel) {
    for await (const message of channel) await channel.send(message)
    channel.end()
  },
  /** Sends as fast as it can, as each message how many the talkative clients have got rid of before. */
  async talkative(channel) {
    for (;;) await channel.send(sent++)
  },
}

/** A listener whose clients are in its own process: `accept` makes one. */
export function listenPairs({ addresses, settings }: RelayOptions<PairSettings>): Listener {
  if (addresses !== undefined) throw new RpcError('unavailable', 'it is taken', { name: 'Taken', data: { addresses } })
  const { client, certificate, forget } = settings
  return {
    // It says which process it is.
    addresses: [String(process.pid)],
    async accept() {
      const acceptedPeer = { transport: 'pair', address: 'pair:1', ...(certificate && { certificate }) }
      const [opened, accepted] = createChannelPair({ window: WINDOW, acceptedPeer })
      CLIENTS[client](opened).catch(() => opened.end())
      return accepted
    },
    onChannel() {},
    async close() {
      if (forget === 'timer') setInterval(() => {}, 1_000_000)
      if (forget === 'rejection') void Promise.reject(new Error('forgotten'))
    },
    async *[Symbol.asyncIterator]() {},
    async [Symbol.asyncDispose]() {},
  }
}
