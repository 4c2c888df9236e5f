import type { MessagePort } from 'node:worker_threads'
import { type Channel, type CloseOptions, type Listener, RpcError } from '@qrpc/core'
import { AcceptQueue } from '@qrpc/wire'
import { PortConnection } from './port-connection.ts'

const DEFAULT_GRACE_MS = 5000

/** Accepts the channels of all ports that it is given. */
export class PortListener implements Listener {
  readonly addresses: readonly string[] = ['port:']
  readonly #accepted = new AcceptQueue()
  readonly #connections = new Set<PortConnection>()
  #closed = false

  /** Takes a port whose other end a connector has. After `close` it closes it at once. */
  add(port: MessagePort): void {
    if (this.#closed) {
      port.close()
      return
    }
    const connection = new PortConnection(port, {
      onChannel: (channel) => this.#accepted.add(channel),
      onOver: (channel) => this.#accepted.forget(channel),
      onClosed: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    connection.tell('ready')
  }

  accept(): Promise<Channel | undefined> {
    return this.#accepted.accept()
  }

  onChannel(callback: (channel: Channel) => void): void {
    this.#accepted.onChannel(callback)
  }

  [Symbol.asyncIterator](): AsyncIterator<Channel, undefined> {
    return this.#accepted[Symbol.asyncIterator]()
  }

  async close({ graceMs = DEFAULT_GRACE_MS }: CloseOptions = {}): Promise<void> {
    if (!this.#closed) for (const connection of this.#connections) connection.tell('leave')
    this.#closed = true
    this.#accepted.close()
    const here = new RpcError('unavailable', 'the listener was closed')
    const there = new RpcError('unavailable', 'the server closed the connection')
    await Promise.all([...this.#connections].map((connection) => connection.close(graceMs, here, there)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
