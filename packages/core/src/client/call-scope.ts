import type { Channel, ChannelObserver, Connector, OpenOptions, Peer } from '../channel/channel.ts'
import { PendingChannel } from '../channel/pending-channel.ts'
import type { Pattern } from '../contract/method.ts'
import { Deadline, deadlineExceeded, timeoutOf } from '../deadline.ts'
import { RpcError } from '../error.ts'
import { CALL_OVER, LazySignal } from '../interceptor/lazy-signal.ts'
import { Metadata, type MetadataEntries } from '../metadata.ts'
import type { Request } from '../request.ts'
import { forgetAbort, listenForAbort } from './abort-listeners.ts'
import type { CallOptions } from './call-options.ts'

/** What a scope must know of the method that is called. */
export interface CalledMethod {
  readonly path: string
  readonly pattern: Pattern
  readonly schemas: { readonly idempotent?: boolean | undefined }
}

/** One call from its opening to its end: what can cut it short (signal, deadline, cancel), and what is to be freed then. */
export class CallScope implements OpenOptions, ChannelObserver {
  readonly method: string
  readonly pattern: Pattern
  readonly idempotent: boolean | undefined
  readonly metadata: MetadataEntries | undefined
  /** Whom to tell what carries the call. */
  readonly onPeer: ((peer: Peer) => void) | undefined
  /** Why the caller's side cut the call short. */
  error: RpcError | undefined = undefined
  /** However it ended. */
  over = false

  #channel: Channel | undefined = undefined
  #sent: Promise<void> | undefined = undefined
  #lost: RpcError | undefined = undefined
  #deadline: Deadline | undefined = undefined
  #stopListening: (() => void) | undefined = undefined
  #cutOff: LazySignal | undefined = undefined
  #onOver: (() => void) | undefined = undefined

  /** @throws RpcError `invalid_argument` for options that make no sense. */
  constructor(method: CalledMethod, options: CallOptions | undefined) {
    this.method = method.path
    this.pattern = method.pattern
    this.idempotent = method.schemas.idempotent
    this.metadata = options?.metadata === undefined ? undefined : [...new Metadata(options.metadata)]
    this.onPeer = options?.onPeer
    if (options === undefined || options === null) return
    const timeout = timeoutOf(options.timeout, options.deadline)
    if (options.signal?.aborted) this.cancel(aborted(options.signal))
    else if (timeout === 0) this.cancel(deadlineExceeded())
    else {
      if (timeout !== undefined) this.#deadline = new Deadline(timeout, () => this.cancel(deadlineExceeded()))
      if (options.signal !== undefined) this.#listen(options.signal)
    }
  }

  /** Aborted when the call is cut short; for an open that has to wait. */
  get signal(): AbortSignal {
    return this.cutOff.signal
  }

  /** The signal, for those who need not have a real one. */
  get cutOff(): LazySignal {
    if (this.#cutOff === undefined) {
      this.#cutOff = new LazySignal()
      if (this.error !== undefined) this.#cutOff.abort(this.error)
    }
    return this.#cutOff
  }

  /** The call's channel and request, sent. The channel fails with the reason where it could not be opened. */
  open(connector: Connector, message: unknown, last: boolean): Channel {
    const channel = this.#open(connector)
    this.#channel = channel
    channel.observe(this)
    if (this.error !== undefined) return channel
    try {
      this.#sent = channel.send(new ScopedRequest(this, message), last)
    } catch (error) {
      this.cancel(RpcError.from(error, 'internal'))
    }
    return channel
  }

  /**
   * Resolves once the request of a notify is with the transport. From then on the caller has no part in the call any more.
   *
   * @throws RpcError (as a rejection) why it could not be handed over.
   */
  async handedOver(): Promise<void> {
    await this.#sent
    if (this.error !== undefined) throw this.error
    this.#release()
  }

  /** Cuts the call short, unless it is over. */
  cancel(error: RpcError): void {
    if (this.error !== undefined) return
    this.error = error
    this.#release()
    this.#cutOff?.abort(error)
    this.#channel?.cancel(error)
  }

  /** Cuts the call short when the signal aborts, as the option `signal` does, in whose place it is. */
  follow(signal: LazySignal): void {
    if (!this.over) this.#stopListening = signal.onAbort((reason) => this.cancel(reason))
  }

  /** The time that the call may still take, in ms. */
  get timeout(): number | undefined {
    return this.#deadline?.left
  }

  /** When the call must be over, in ms since the epoch. */
  get deadline(): number | undefined {
    return this.#deadline === undefined ? undefined : Date.now() + this.#deadline.left
  }

  /** Runs the callback once the call is over, however it ended. */
  onOver(callback: () => void): void {
    if (this.over) callback()
    else this.#onOver = callback
  }

  onClose(error?: RpcError): void {
    this.#lost = error
    this.#release()
  }

  /** Ends what goes on in the name of a call whose result is there. */
  finish(): void {
    this.#release()
    this.#cutOff?.abort(CALL_OVER)
  }

  /** Why the call was cut short, from this side or by the loss of the connection. */
  get failure(): RpcError | undefined {
    return this.error ?? this.#lost
  }

  #open(connector: Connector): Channel {
    if (this.error !== undefined) return new PendingChannel(Promise.reject(this.error))
    try {
      const opened = connector.open(this)
      if (this.onPeer === undefined) return opened instanceof Promise ? new PendingChannel(opened) : opened
      return opened instanceof Promise
        ? new PendingChannel(opened.then((channel) => this.#introduce(channel)))
        : this.#introduce(opened)
    } catch (error) {
      return new PendingChannel(Promise.reject(error))
    }
  }

  #introduce(channel: Channel): Channel {
    // Interceptors that are between tell it once a transport has the call.
    if (channel.peer.transport === '' || this.error !== undefined) return channel
    try {
      this.onPeer?.(channel.peer)
    } catch (error) {
      console.error('qrpc: onPeer threw', error)
    }
    return channel
  }

  #release(): void {
    this.over = true
    this.#deadline?.clear()
    this.#stopListening?.()
    this.#stopListening = undefined
    const onOver = this.#onOver
    this.#onOver = undefined
    onOver?.()
  }

  #listen(signal: AbortSignal): void {
    const onAbort = (): void => this.cancel(aborted(signal))
    listenForAbort(signal, onAbort)
    this.#stopListening = () => forgetAbort(signal, onAbort)
  }
}

/** The request of a call with a deadline: the time left is read when the request leaves, not when the call began. */
class ScopedRequest implements Request {
  readonly method: string
  readonly metadata: MetadataEntries | undefined
  readonly message: unknown
  readonly #scope: CallScope

  constructor(scope: CallScope, message: unknown) {
    this.method = scope.method
    this.metadata = scope.metadata
    this.message = message
    this.#scope = scope
  }

  get timeout(): number | undefined {
    return this.#scope.timeout
  }
}

function aborted(signal: AbortSignal): RpcError {
  if (signal.reason instanceof RpcError) return signal.reason
  return new RpcError('cancelled', 'the signal of the call was aborted', { cause: signal.reason })
}
