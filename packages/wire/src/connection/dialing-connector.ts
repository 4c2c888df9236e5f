import {
  type Channel,
  type CloseOptions,
  type ConnectionState,
  type ConnectionStateObserver,
  type OpenOptions,
  RpcError,
  type StatefulConnector,
} from '@qrpc/core'
import { Counters, type TransportCounters } from '../counters/transport-counters.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { OpenQueue, openAborted } from './open-queue.ts'

/** A connection as its connector sees it. */
export interface Connection {
  /** Whether channels can be opened. */
  readonly usable: boolean
  /** Opens a channel: at once where there is room, else when it is its turn. */
  open(options: OpenOptions | undefined): Channel | Promise<Channel>
  /**
   * Refuses opens that wait, lets open channels go on for `graceMs`, cuts the others off (`cancelled`), and resolves
   * when nothing is left. A second call may shorten the grace.
   */
  close(graceMs: number): Promise<void>
}

/** What a connection tells its connector: the second at last, and once. */
export interface ConnectionObserver {
  /** No further channels can be opened; those that are open may go on. */
  onUnusable(error: RpcError | undefined): void
  /** Nothing of the connection is left. */
  onClosed(): void
}

/** A connector whose connections are counted. */
export interface NetworkConnector extends StatefulConnector {
  /** What its connections have come to so far. */
  readonly counters: TransportCounters
}

/** Makes a connection. It rejects with an `RpcError` `unavailable`, and gives up at once when the signal aborts. */
export type Dial = (signal: AbortSignal, observer: ConnectionObserver) => Promise<Connection>

// A server that drops each connection as soon as it was made would keep those in line, and this side, busy for ever.
const MOST_MOVES = 3

/**
 * A connector over one connection at a time: made when the first channel is opened, shared, and made anew for the next
 * channel after it was lost or the peer has asked for that. Opens that come within the backoff of a failure wait for it.
 */
export class DialingConnector implements NetworkConnector {
  readonly address: string
  readonly counters: TransportCounters
  readonly #counters: Counters
  readonly #dial: Dial
  readonly #backoff: Backoff
  readonly #waiting = new OpenQueue()
  readonly #observers = new Set<ConnectionStateObserver>()
  // Those that are being left by their last channels are among them.
  readonly #connections = new Set<Connection>()
  #current: Connection | undefined = undefined
  #attempt: AbortController | undefined = undefined
  #attempting: Promise<void> | undefined = undefined
  #notBefore = 0
  #closed: RpcError | undefined = undefined
  #state: ConnectionState = 'idle'

  /**
   * @param counters What its connections count with. Default: its own.
   * @throws RpcError `invalid_argument` for a backoff that makes no sense.
   */
  constructor(address: string, dial: Dial, backoff?: BackoffOptions, counters: Counters = new Counters('client')) {
    this.address = address
    this.counters = counters
    this.#counters = counters
    this.#dial = dial
    this.#backoff = new Backoff(backoff)
  }

  get state(): ConnectionState {
    return this.#state
  }

  observeState(observer: ConnectionStateObserver): () => void {
    this.#observers.add(observer)
    return () => {
      this.#observers.delete(observer)
    }
  }

  open(options?: OpenOptions): Channel | Promise<Channel> {
    return this.#open(options, MOST_MOVES)
  }

  #open(options: OpenOptions | undefined, moves: number): Channel | Promise<Channel> {
    if (this.#current?.usable) return this.#openOn(this.#current, options, moves)
    if (this.#closed !== undefined) throw this.#closed
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(openAborted(signal))
    const opening = this.#waiting.wait(() => this.#openOn(this.#current as Connection, options, moves), signal)
    this.#attempting ??= this.#connect()
    return opening
  }

  async close({ graceMs = 0 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= new RpcError('failed_precondition', `the connector to ${this.address} was closed`)
    this.#current = undefined
    this.#change('shutdown', undefined)
    this.#waiting.refuse(this.#closed)
    this.#attempt?.abort(this.#closed)
    await this.#attempting
    await Promise.all([...this.#connections].map((connection) => connection.close(graceMs)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Who waits in line at a connection that goes away has sent nothing yet, and can go on with the next one. */
  #openOn(connection: Connection, options: OpenOptions | undefined, moves: number): Channel | Promise<Channel> {
    const opened = connection.open(options)
    if (!(opened instanceof Promise)) return opened
    return opened.catch((error: unknown) => {
      if (moves === 0 || connection.usable || this.#closed !== undefined || options?.signal?.aborted) throw error
      return this.#open(options, moves - 1)
    })
  }

  /** One attempt, after the backoff. It never rejects: those that wait are told. */
  async #connect(): Promise<void> {
    const attempt = new AbortController()
    this.#attempt = attempt
    try {
      await waitUntil(this.#notBefore, attempt.signal)
      if (!attempt.signal.aborted) {
        this.#change('connecting', undefined)
        this.#connected(await this.#observed(attempt.signal))
      }
    } catch (error) {
      this.#failed(RpcError.from(error, 'unavailable'))
    } finally {
      this.#attempt = undefined
      this.#attempting = undefined
    }
    // The connection can go while they are let in.
    this.#waiting.refuse(this.#closed ?? new RpcError('unavailable', `the connection to ${this.address} was lost`))
  }

  async #observed(signal: AbortSignal): Promise<Connection> {
    let connection: Connection | undefined
    let gone = false
    connection = await this.#dial(signal, {
      onUnusable: (error) => {
        if (connection === undefined || this.#current !== connection) return
        this.#current = undefined
        this.#change('idle', error)
      },
      onClosed: () => {
        gone = true
        if (connection !== undefined) this.#connections.delete(connection)
      },
    })
    if (!gone) this.#connections.add(connection)
    return connection
  }

  #connected(connection: Connection): void {
    if (this.#closed !== undefined) return
    if (!connection.usable) {
      throw new RpcError('unavailable', `the connection to ${this.address} was lost as soon as it was made`)
    }
    this.#backoff.reset()
    this.#notBefore = 0
    this.#current = connection
    this.#change('ready', undefined)
    this.#waiting.admit(() => this.#current === connection && connection.usable)
  }

  #failed(error: RpcError): void {
    if (this.#closed === undefined) this.#counters.failed(error)
    this.#notBefore = performance.now() + this.#backoff.failed()
    this.#change('transient_failure', error)
    this.#waiting.refuse(error)
  }

  #change(state: ConnectionState, error: RpcError | undefined): void {
    if (this.#state === state || this.#state === 'shutdown') return
    this.#state = state
    for (const observer of this.#observers) {
      // An observer that throws must not keep the others from being told, nor the connector from going on.
      try {
        observer(state, error)
      } catch (thrown) {
        console.error('qrpc: an observer of a connection threw', thrown)
      }
    }
  }
}

/** Resolves at the time, as `performance.now()` tells it, or when the signal aborts. */
function waitUntil(time: number, signal: AbortSignal): Promise<void> | undefined {
  const ms = time - performance.now()
  if (ms <= 0) return undefined
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
