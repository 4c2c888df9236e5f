import {
  type Channel,
  type CloseOptions,
  type Connector,
  errorForPeer,
  type Listener,
  type MemoryChannel,
  type OpenOptions,
  openPair,
  RpcError,
} from '@qrpc/core'

/** How a test has the connector open: at once (`pair()`), later, or not at all. */
export type Open = (pair: () => Channel, options: OpenOptions | undefined) => Channel | Promise<Channel>

export interface Transport {
  readonly connector: Connector
  readonly listener: Listener
  /** What the connector was asked for, one entry an open. */
  readonly opens: (OpenOptions | undefined)[]
  /** How many channels are open. */
  readonly size: () => number
  /** With which options the listener was closed. */
  readonly closes: (CloseOptions | undefined)[]
}

const PEER = { transport: 'test', address: 'test:' }

/** The least that makes a transport: a connector and a listener over channel pairs of one process. */
export function createTransport(open: Open = (pair) => pair(), window = 64): Transport {
  const channels = new Set<MemoryChannel>()
  const backlog: Channel[] = []
  const waiting: ((channel: Channel | undefined) => void)[] = []
  const opens: (OpenOptions | undefined)[] = []
  const closes: (CloseOptions | undefined)[] = []
  let callback: ((channel: Channel) => void) | undefined
  let connectorClosed: RpcError | undefined
  let listening = true
  let onIdle = (): void => {}

  const owner = {
    onFirstMessage(channel: MemoryChannel) {
      if (callback !== undefined) callback(channel)
      else if (waiting.length > 0) waiting.shift()?.(channel)
      else backlog.push(channel)
    },
    onPairClosed(channel: MemoryChannel) {
      channels.delete(channel)
      if (channels.size === 0) onIdle()
    },
  }
  const pair = (): Channel => {
    const channel = openPair({ window, openedPeer: PEER, acceptedPeer: PEER, errorForPeer, owner })
    // Marks the opening end: this is how `onPairClosed` knows it.
    channel.slot = 0
    channels.add(channel)
    return channel
  }
  const sever = (here: RpcError, there: RpcError): void => {
    // A set may lose what its loop is at.
    for (const channel of channels) channel.sever(here, there)
  }

  const connector: Connector = {
    address: 'test:',
    open(options) {
      opens.push(options)
      if (connectorClosed !== undefined) throw connectorClosed
      if (!listening) throw new RpcError('unavailable', 'nobody listens')
      return open(pair, options)
    },
    async close() {
      connectorClosed = new RpcError('failed_precondition', 'the connector was closed')
      sever(new RpcError('cancelled', 'the connector was closed'), new RpcError('cancelled', 'the client has gone'))
    },
    [Symbol.asyncDispose]: () => connector.close(),
  }
  const accept = (): Promise<Channel | undefined> => {
    const channel = backlog.shift()
    if (channel !== undefined || !listening) return Promise.resolve(channel)
    return new Promise((resolve) => waiting.push(resolve))
  }
  const listener: Listener = {
    addresses: ['test:'],
    accept,
    onChannel(consumer) {
      if (callback !== undefined) throw new RpcError('failed_precondition', 'the listener has a consumer already')
      callback = consumer
      for (const channel of backlog.splice(0)) consumer(channel)
    },
    async close(options) {
      closes.push(options)
      listening = false
      for (const resolve of waiting.splice(0)) resolve(undefined)
      if (channels.size > 0 && options?.graceMs !== 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
      const gone = new RpcError('unavailable', 'the server was closed')
      sever(gone, gone)
    },
    [Symbol.asyncDispose]: () => listener.close(),
    async *[Symbol.asyncIterator]() {
      for (let channel = await accept(); channel !== undefined; channel = await accept()) yield channel
      return undefined
    },
  }
  return { connector, listener, opens, closes, size: () => channels.size }
}
