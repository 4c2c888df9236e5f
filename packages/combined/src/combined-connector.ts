import {
  type Channel,
  type CloseOptions,
  type ConnectionState,
  type ConnectionStateObserver,
  type OpenOptions,
  RpcError,
  type StatefulConnector,
} from '@qrpc/core'
import { isStateful, type Member } from './member.ts'
import type { Open } from './policy.ts'

// The first of these that a member is in is what the whole is in, as in gRPC's load balancing policies.
const ORDER: readonly ConnectionState[] = ['ready', 'connecting', 'idle', 'transient_failure']

/** Several connectors as one. */
export class CombinedConnector implements StatefulConnector {
  /** The addresses of its members, with commas between them. */
  readonly address: string
  /** The parts, each with its name, connector and state. */
  readonly members: readonly Member[]
  readonly #open: Open
  readonly #observers = new Set<ConnectionStateObserver>()
  readonly #stopObserving: (() => void)[]
  #state: ConnectionState
  #closed: RpcError | undefined = undefined

  constructor(members: readonly Member[], open: Open) {
    this.members = members
    this.address = members.map(({ connector }) => connector.address).join(',')
    this.#open = open
    this.#state = this.#combinedState()
    this.#stopObserving = members.flatMap(({ connector }) =>
      isStateful(connector) ? [connector.observeState((_, error) => this.#change(this.#combinedState(), error))] : [],
    )
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
    if (this.#closed !== undefined) throw this.#closed
    const opened = this.#open(options)
    return opened instanceof Promise ? opened.catch(this.#failed) : opened
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#closed ??= new RpcError('failed_precondition', `the combined connector to ${this.address} was closed`)
    for (const stop of this.#stopObserving.splice(0)) stop()
    this.#change('shutdown', undefined)
    await Promise.all(this.members.map((member) => closeMember(member, options)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** An open that waited when this was closed fails for that, whatever its members made of it. */
  readonly #failed = (error: unknown): never => {
    throw this.#closed ?? error
  }

  #combinedState(): ConnectionState {
    if (this.members.length === 0) return 'transient_failure'
    const states = new Set(this.members.map(({ state }) => state))
    return ORDER.find((state) => states.has(state)) ?? 'shutdown'
  }

  #change(state: ConnectionState, error: RpcError | undefined): void {
    if (this.#state === state || this.#state === 'shutdown') return
    this.#state = state
    for (const observer of this.#observers) {
      // An observer that throws must not keep the others from being told.
      try {
        observer(state, error)
      } catch (thrown) {
        console.error('qrpc: an observer of a connection threw', thrown)
      }
    }
  }
}

/** One that does not close keeps neither the others from it nor the caller waiting for an error. */
async function closeMember({ name, connector }: Member, options: CloseOptions | undefined): Promise<void> {
  try {
    await connector.close(options)
  } catch (error) {
    console.error(`qrpc: the connector ${name} has failed to close`, error)
  }
}
