import {
  type Channel,
  type ChannelObserver,
  type Code,
  type ConnectionState,
  type Connector,
  type OpenOptions,
  RpcError,
  type StatefulConnector,
} from '@qrpc/core'
import { Circuit, type CircuitOptions } from './circuit.ts'

/** One of the connectors that are combined, as a policy sees it. */
export interface Member {
  /** Its key in the object that was given, or its address. */
  readonly name: string
  readonly connector: Connector
  /** What its connection is doing; `ready` for a connector that does not tell. */
  readonly state: ConnectionState
  /** How many channels are open or being opened. Counted only where the policy asks for it. */
  readonly inFlight: number
  /** Whether its last open went well, or it had none. */
  readonly healthy: boolean
  /** Whether it is worth a try: healthy, or its backoff is over. */
  readonly available: boolean
  /**
   * Opens a channel, and remembers how that went.
   *
   * @throws RpcError (or a rejection) what the connector's `open` throws.
   */
  open(options: OpenOptions | undefined): Channel | Promise<Channel>
  /** As `open`, and counts the channel in `inFlight` until it is over. */
  openCounted(options: OpenOptions | undefined): Channel | Promise<Channel>
  /** Has it connect in the background, unless that is under way. No call is involved. */
  probe(): void
}

/** Whether the connector tells the state of its connection. */
export function isStateful(connector: Connector): connector is StatefulConnector {
  return 'observeState' in connector
}

const UNUSED = new RpcError('cancelled', 'the channel was opened to see whether it can be')

/** A {@link Member}: a connector with its circuit and its count. */
export class CombinedMember implements Member, ChannelObserver {
  readonly name: string
  readonly connector: Connector
  inFlight = 0
  readonly #stateful: StatefulConnector | undefined
  readonly #circuit: Circuit
  #probing = false

  constructor(name: string, connector: Connector, options: CircuitOptions) {
    this.name = name
    this.connector = connector
    this.#stateful = isStateful(connector) ? connector : undefined
    this.#circuit = new Circuit(options)
  }

  get state(): ConnectionState {
    return this.#stateful === undefined ? 'ready' : this.#stateful.state
  }

  get available(): boolean {
    return this.#circuit.closed || this.#circuit.due
  }

  get healthy(): boolean {
    return this.#circuit.closed
  }

  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    try {
      const channel = this.connector.open(options)
      if (channel instanceof Promise) return this.#opened(channel, options)
      this.#circuit.succeeded()
      return channel
    } catch (error) {
      throw this.#failed(error, options)
    }
  }

  openCounted(options: OpenOptions | undefined): Channel | Promise<Channel> {
    this.inFlight++
    try {
      const channel = this.open(options)
      if (channel instanceof Promise) return this.#counted(channel)
      channel.observe(this)
      return channel
    } catch (error) {
      this.inFlight--
      throw error
    }
  }

  probe(): void {
    if (this.#probing) return
    this.#probing = true
    void this.#probe()
  }

  /** A channel that was counted is over. One that the server has cut off says that the next would be, too. */
  onClose(error: RpcError | undefined): void {
    this.inFlight--
    if (error?.code === 'unavailable') this.#circuit.failed()
  }

  async #probe(): Promise<void> {
    try {
      const channel = await this.open(undefined)
      channel.cancel(UNUSED)
    } catch {
      // The circuit has heard of it.
    } finally {
      this.#probing = false
    }
  }

  async #opened(opening: Promise<Channel>, options: OpenOptions | undefined): Promise<Channel> {
    try {
      const channel = await opening
      this.#circuit.succeeded()
      return channel
    } catch (error) {
      throw this.#failed(error, options)
    }
  }

  async #counted(opening: Promise<Channel>): Promise<Channel> {
    try {
      const channel = await opening
      channel.observe(this)
      return channel
    } catch (error) {
      this.inFlight--
      throw error
    }
  }

  #failed(error: unknown, options: OpenOptions | undefined): unknown {
    if (isMembersFault(error, options)) this.#circuit.failed()
    return error
  }
}

const MEMBERS_FAULTS: ReadonlySet<Code> = new Set(['unavailable', 'failed_precondition'])

/** Whether an open failed for the member's sake: another may do better. A call that was aborted fails everywhere. */
export function isMembersFault(error: unknown, options: OpenOptions | undefined): boolean {
  if (options?.signal?.aborted) return false
  return !(error instanceof RpcError) || MEMBERS_FAULTS.has(error.code)
}
