import { type Channel, type CloseOptions, type Connector, type OpenOptions, RpcError } from '@qrpc/core'
import type { ConnectionSettings, MemoryConnection } from './memory-connection.ts'
import type { MemoryListener } from './memory-listener.ts'

/** Opens channels to whichever listener is open at the time. */
export class MemoryConnector implements Connector {
  readonly address: string
  readonly #settings: ConnectionSettings
  readonly #listener: () => MemoryListener
  #connection: MemoryConnection | undefined = undefined
  #closed: RpcError | undefined = undefined

  constructor(address: string, settings: ConnectionSettings, listener: () => MemoryListener) {
    this.address = address
    this.#settings = settings
    this.#listener = listener
  }

  open(options?: OpenOptions): Channel | Promise<Channel> {
    if (this.#connection?.usable) return this.#connection.open(options)
    return this.#connect().open(options)
  }

  async close({ graceMs = 0 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= new RpcError('failed_precondition', `the connector to ${this.address} was closed`)
    const connection = this.#connection
    if (connection === undefined) return
    connection.refuse(this.#closed)
    await connection.drain(graceMs)
    connection.sever(
      new RpcError('cancelled', 'the connector was closed'),
      new RpcError('cancelled', 'the client closed the connection'),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #connect(): MemoryConnection {
    if (this.#closed !== undefined) throw this.#closed
    const listener = this.#listener()
    if (listener.closed) throw new RpcError('unavailable', `nobody listens at ${this.address}`)
    this.#connection = listener.connect(this.#settings)
    return this.#connection
  }
}
