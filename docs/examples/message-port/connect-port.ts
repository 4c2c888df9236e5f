import type { MessagePort } from 'node:worker_threads'
import { type Channel, type OpenOptions, RpcError, type StatefulConnector } from '@qrpc/core'
import { type Connection, type ConnectionObserver, DialingConnector, OpenQueue } from '@qrpc/wire'
import { PortConnection } from './port-connection.ts'

/** How a connector over ports connects. */
export interface PortConnectOptions {
  /** Channels that are open at a time; further opens wait in line. Default: 1000. */
  readonly maxConcurrentStreams?: number | undefined
  /** How long the listener may take to take its port, in ms. Default: 10000. */
  readonly connectTimeoutMs?: number | undefined
}

/**
 * A connector over message ports: one at a time, and a new one when that was closed.
 *
 * @param makePort Makes a port whose other end is on its way to a listener.
 */
export function connectPort(makePort: () => MessagePort, options: PortConnectOptions = {}): StatefulConnector {
  const { maxConcurrentStreams = 1000, connectTimeoutMs = 10_000 } = options
  return new DialingConnector('port:', async (signal, observer) => {
    const connection = new OpenedConnection(makePort(), maxConcurrentStreams, observer)
    await connection.ready(signal, connectTimeoutMs)
    return connection
  })
}

/** One port, from the connector's side. */
class OpenedConnection implements Connection {
  readonly #connection: PortConnection
  readonly #limit: number
  readonly #waiting = new OpenQueue()
  readonly #observer: ConnectionObserver
  readonly #ready: Promise<void>
  #becameReady!: () => void
  #failed!: (error: RpcError) => void

  constructor(port: MessagePort, limit: number, observer: ConnectionObserver) {
    this.#limit = limit
    this.#observer = observer
    this.#ready = new Promise((resolve, reject) => {
      this.#becameReady = resolve
      this.#failed = reject
    })
    this.#connection = new PortConnection(port, {
      onReady: () => this.#becameReady(),
      onLeave: () => this.#onLeave(),
      onOver: () => this.#waiting.admit(() => this.#hasRoom),
      onClosed: () => this.#onClosed(),
    })
  }

  get usable(): boolean {
    return !this.#connection.over
  }

  /** Resolves when the listener has taken the port. @throws RpcError (as a rejection) `unavailable` when it does not. */
  async ready(signal: AbortSignal, timeoutMs: number): Promise<void> {
    const giveUp = (): void => this.#failed(new RpcError('unavailable', 'nobody has taken the port'))
    const timer = setTimeout(giveUp, timeoutMs)
    signal.addEventListener('abort', giveUp)
    try {
      await this.#ready
    } catch (error) {
      await this.close(0)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (this.#hasRoom) return this.#connection.open()
    return this.#waiting.wait(() => this.#connection.open(), options?.signal)
  }

  async close(graceMs: number): Promise<void> {
    this.#connection.leave()
    this.#waiting.refuse(new RpcError('failed_precondition', 'the connector was closed'))
    await this.#connection.close(
      graceMs,
      new RpcError('cancelled', 'the connector was closed'),
      new RpcError('cancelled', 'the client closed the connection'),
    )
  }

  get #hasRoom(): boolean {
    return this.#connection.size < this.#limit
  }

  /** Nothing more is opened here, and the listener hears that it has seen all. It closes the port when that has ended. */
  #onLeave(): void {
    this.#connection.leave()
    this.#observer.onUnusable(undefined)
    this.#waiting.refuse(new RpcError('unavailable', 'the listener is closing'))
  }

  #onClosed(): void {
    const error = new RpcError('unavailable', 'the port was closed')
    this.#failed(error)
    this.#observer.onUnusable(error)
    this.#waiting.refuse(error)
    this.#observer.onClosed()
  }
}
