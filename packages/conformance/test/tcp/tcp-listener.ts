import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Channel, type CloseOptions, type Listener, RpcError } from '@qrpc/core'
import { OpenChannels } from './open-channels.ts'
import { TcpChannel } from './tcp-channel.ts'

const DEFAULT_GRACE_MS = 5000

/** Listens at `tcp://127.0.0.1:port`, at any port without an address. */
export async function listenTcp(address?: string): Promise<Listener> {
  const server = createServer()
  server.listen({ host: '127.0.0.1', port: address === undefined ? 0 : Number(new URL(address).port) })
  await once(server, 'listening')
  return new TcpListener(server)
}

class TcpListener implements Listener {
  readonly addresses: readonly string[]
  readonly #server: Server
  readonly #open = new OpenChannels()
  readonly #backlog = new Set<TcpChannel>()
  readonly #accepting: ((channel: Channel | undefined) => void)[] = []
  #callback: ((channel: Channel) => void) | undefined = undefined
  #closed = false

  constructor(server: Server) {
    this.#server = server
    this.addresses = [`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`]
    server.on('connection', (socket) => this.#onConnection(socket))
  }

  accept(): Promise<Channel | undefined> {
    if (this.#callback !== undefined) return Promise.reject(consumed())
    for (const channel of this.#backlog) {
      this.#backlog.delete(channel)
      return Promise.resolve(channel)
    }
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#accepting.push(resolve))
  }

  onChannel(callback: (channel: Channel) => void): void {
    if (this.#callback !== undefined || this.#accepting.length > 0) throw consumed()
    if (this.#closed) throw new RpcError('failed_precondition', 'the listener was closed')
    this.#callback = callback
    for (const channel of this.#backlog) callback(channel)
    this.#backlog.clear()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    for (let channel = await this.accept(); channel !== undefined; channel = await this.accept()) yield channel
  }

  async close({ graceMs = DEFAULT_GRACE_MS }: CloseOptions = {}): Promise<void> {
    if (!this.#closed) this.#server.close()
    this.#closed = true
    for (const accept of this.#accepting.splice(0)) accept(undefined)
    await this.#open.close(
      graceMs,
      new RpcError('unavailable', 'the listener was closed'),
      new RpcError('unavailable', 'the server closed the connection'),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #onConnection(socket: Socket): void {
    const peer = { transport: 'tcp', address: `tcp://${socket.remoteAddress}:${socket.remotePort}` }
    this.#open.addSocket(socket)
    this.#open.add(
      new TcpChannel(socket, peer, {
        onFirstFrame: (channel) => this.#announce(channel),
        onOver: (channel) => {
          this.#open.delete(channel)
          this.#backlog.delete(channel)
        },
      }),
    )
  }

  #announce(channel: TcpChannel): void {
    const accept = this.#accepting.shift()
    if (accept !== undefined) accept(channel)
    else if (this.#callback !== undefined) this.#callback(channel)
    else this.#backlog.add(channel)
  }
}

function consumed(): RpcError {
  return new RpcError('failed_precondition', 'the listener has a consumer already: one callback, or accept loops')
}
