import { once } from 'node:events'
import { connect } from 'node:net'
import { type Channel, type CloseOptions, type Connector, type OpenOptions, RpcError } from '@qrpc/core'
import { OpenChannels } from './open-channels.ts'
import { TcpChannel } from './tcp-channel.ts'

/** Connects to `tcp://host:port`; channels beyond `maxConcurrentStreams` wait in line. */
export class TcpConnector implements Connector {
  readonly address: string
  readonly #places: Places
  readonly #open = new OpenChannels()
  #closed: RpcError | undefined = undefined

  constructor(address: string, maxConcurrentStreams = Number.POSITIVE_INFINITY) {
    this.address = address
    this.#places = new Places(maxConcurrentStreams)
  }

  async open({ signal }: OpenOptions = {}): Promise<Channel> {
    if (this.#closed !== undefined) throw this.#closed
    await this.#places.take(signal)
    try {
      return await this.#dial()
    } catch (error) {
      this.#places.free()
      throw error
    }
  }

  async close({ graceMs = 0 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= new RpcError('failed_precondition', `the connector to ${this.address} was closed`)
    this.#places.refuse(this.#closed)
    await this.#open.close(
      graceMs,
      new RpcError('cancelled', 'the connector was closed'),
      new RpcError('cancelled', 'the client closed the connection'),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #dial(): Promise<TcpChannel> {
    const { hostname, port } = new URL(this.address)
    const socket = connect({ host: hostname, port: Number(port) })
    this.#open.addSocket(socket)
    try {
      await once(socket, 'connect')
    } catch (error) {
      throw new RpcError('unavailable', `nobody listens at ${this.address}`, { cause: error })
    }
    const channel = new TcpChannel(
      socket,
      { transport: 'tcp', address: this.address },
      {
        onOver: (over) => {
          this.#open.delete(over)
          this.#places.free()
        },
      },
    )
    // Closed while it connected.
    if (this.#closed !== undefined) channel.cancel(this.#closed)
    this.#open.add(channel)
    return channel
  }
}

interface Waiting {
  readonly letIn: () => void
  readonly refuse: (error: RpcError) => void
}

/** The line for a limited number of places. */
class Places {
  readonly #limit: number
  readonly #waiting = new Set<Waiting>()
  #taken = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes a place, when it is free. @throws RpcError (as a rejection) when the signal aborts, or the line was refused. */
  async take(signal: AbortSignal | undefined): Promise<void> {
    if (this.#taken < this.#limit) {
      this.#taken++
      return
    }
    await new Promise<void>((letIn, refuse) => {
      const waiting = { letIn, refuse }
      this.#waiting.add(waiting)
      signal?.addEventListener('abort', () => this.#waiting.delete(waiting) && refuse(signal.reason as RpcError), {
        once: true,
      })
    })
  }

  /** Gives a place back, or on to who waits first. */
  free(): void {
    const [first] = this.#waiting
    if (first === undefined) this.#taken--
    else {
      this.#waiting.delete(first)
      first.letIn()
    }
  }

  refuse(error: RpcError): void {
    for (const waiting of this.#waiting) waiting.refuse(error)
    this.#waiting.clear()
  }
}
