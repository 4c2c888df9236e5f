import {
  type Channel,
  type CloseOptions,
  type Listener,
  type OpenOptions,
  RpcError,
  type StatefulConnector,
} from '@qrpc/core'
import {
  AcceptQueue,
  ByteChannel,
  ChannelTable,
  type ChannelTableSettings,
  type Connection,
  type ConnectionObserver,
  DialingConnector,
  OpenQueue,
  WireFormat,
} from '@qrpc/wire'
import { type PipeOptions, PipeStream } from './pipe-stream.ts'

const PEER = { transport: 'pipe', address: 'pipe:' }

/** What a transport over pipes consists of. */
interface PipeNetwork {
  readonly pipes: PipeOptions
  readonly settings: ChannelTableSettings
  readonly maxConcurrentStreams: number
}

/** The least transport that can be built of this package: channels over pipes in memory. */
export function createPipeTransport(pipes: PipeOptions, maxConcurrentStreams = 1000) {
  const format = new WireFormat()
  const settings = { format, receiveWindow: pipes.window, closeTimeoutMs: 1000, firstFrameTimeoutMs: 1000 }
  const network = { pipes, settings, maxConcurrentStreams }
  let listener = new PipeListener()
  const connector: StatefulConnector = new DialingConnector('pipe:', async (_, observer) => {
    if (listener.closed) throw new RpcError('unavailable', 'nobody listens')
    return new PipeConnection(network, listener, observer)
  })
  return {
    connector,
    listener,
    restart() {
      listener = new PipeListener()
      return listener
    },
  }
}

/** Both ends of a connection. */
class PipeConnection implements Connection {
  usable = true
  readonly accepted: ChannelTable
  readonly #opened: ChannelTable
  readonly #network: PipeNetwork
  readonly #observer: ConnectionObserver
  readonly #waiting = new OpenQueue()

  constructor(network: PipeNetwork, listener: PipeListener, observer: ConnectionObserver) {
    this.#network = network
    this.#observer = observer
    this.#opened = new ChannelTable(network.settings, { onGone: () => this.#waiting.admit(() => this.#hasRoom()) })
    this.accepted = new ChannelTable(network.settings, {
      onAccepted: (channel) => listener.queue.add(channel),
      onGone: (channel) => listener.queue.forget(channel),
    })
    listener.connections.add(this)
  }

  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (this.#hasRoom()) return this.#openNow(options)
    return this.#waiting.wait(() => this.#openNow(options), options?.signal)
  }

  async close(graceMs: number): Promise<void> {
    this.usable = false
    this.#waiting.refuse(new RpcError('failed_precondition', 'the connector was closed'))
    await closeChannels(this.#opened, graceMs, new RpcError('cancelled', 'the connector was closed'))
    this.end()
  }

  /** The listener takes no more channels. */
  retire(error: RpcError): void {
    this.usable = false
    this.#observer.onUnusable(error)
    this.#waiting.refuse(error)
  }

  end(): void {
    const lost = new RpcError('unavailable', 'the connection was lost')
    this.#opened.lose(lost)
    this.accepted.lose(lost)
    this.#observer.onClosed()
  }

  #hasRoom(): boolean {
    return this.usable && this.#opened.size < this.#network.maxConcurrentStreams
  }

  #openNow(options: OpenOptions | undefined): Channel {
    const [here, there] = PipeStream.pair(this.#network.pipes)
    const opened = new ByteChannel(this.#opened, here, PEER, true)
    here.reader = opened
    this.#opened.addOpened(opened)
    const accepted = new ByteChannel(this.accepted, there, PEER, false, options?.method)
    there.reader = accepted
    this.accepted.addAccepted(accepted)
    return opened
  }
}

class PipeListener implements Listener {
  readonly addresses = ['pipe:']
  readonly queue = new AcceptQueue()
  readonly connections = new Set<PipeConnection>()
  closed = false

  accept(): Promise<Channel | undefined> {
    return this.queue.accept()
  }

  onChannel(callback: (channel: Channel) => void): void {
    this.queue.onChannel(callback)
  }

  [Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    return this.queue[Symbol.asyncIterator]()
  }

  async close({ graceMs = 5000 }: CloseOptions = {}): Promise<void> {
    this.closed = true
    this.queue.close()
    const error = new RpcError('unavailable', 'the listener was closed')
    for (const connection of this.connections) connection.retire(error)
    await Promise.all([...this.connections].map(({ accepted }) => closeChannels(accepted, graceMs, error)))
    for (const connection of this.connections) connection.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function closeChannels(channels: ChannelTable, graceMs: number, error: RpcError): Promise<void> {
  if (graceMs <= 0) channels.hurry()
  await channels.drain(graceMs)
  channels.sever(error, error)
  await channels.drain(1000)
}
