import type { Channel, Peer } from '../channel/channel.ts'
import { RpcError } from '../error.ts'
import type { CallScope } from './call-scope.ts'
import { UpdateSender } from './update-sender.ts'

/** What every streaming call has. Disposing of a call cancels it unless it is over. */
export interface Call extends Disposable {
  /** The server and the transport that carries the call. `transport` is empty until that is known. */
  readonly peer: Peer
  /** Cancels the call, unless it is over: the server's `context.signal` aborts, and this side sees `cancelled` with the reason as `cause`. */
  cancel(reason?: unknown): void
}

/** What the calls that stream updates have. */
export interface Updates<Update> {
  /**
   * Sends an update. A promise says that the sender must wait until the server has read more.
   * Once the server has answered, updates are dropped without a word: `finish` or the responses tell the outcome.
   *
   * @throws RpcError `failed_precondition` after the updates were ended; the call's error once it has failed.
   */
  send(update: Update): Promise<void> | undefined
  /** Sends an update if there is room for it: false instead of waiting. Throws as `send` does. */
  trySend(update: Update): boolean
  /** Whether the server wants no more updates: it has answered. */
  readonly stopped: boolean
}

/** A client-streaming call that is driven by hand. */
export interface ClientStreamingCall<Update, Response> extends Call, Updates<Update> {
  /**
   * Ends the updates and gives the response.
   *
   * @throws RpcError (as a rejection) `failed_precondition` when called twice; what the call failed with.
   */
  finish(): Promise<Response>
  /** The response, which may come before the updates have ended. Never an unhandled rejection. */
  readonly response: Promise<Response>
}

/** A server-streaming call: a loop over it gives the responses, and leaving the loop cancels the call. */
export interface ServerStreamingCall<Response> extends Call, AsyncIterable<Response> {
  /**
   * Resolves when the first response, or the end of an empty stream, has arrived; so a call that failed before its
   * first response can be told from one that failed halfway. A server that has nothing to send yet has not started by
   * this. Never an unhandled rejection.
   *
   * @throws RpcError (as a rejection) what the call failed with before its first response.
   */
  readonly started: Promise<void>
  /**
   * The next response, or `undefined` at the end; a promise only where it must be waited for. One at a time.
   *
   * @throws RpcError what the call failed with.
   */
  receive(): Response | undefined | Promise<Response | undefined>
  /** Whether `receive` has returned the end: it tells the end from a response that is `undefined`. */
  readonly ended: boolean
}

/** A bidi-streaming call. */
export interface BidiStreamingCall<Update, Response> extends ServerStreamingCall<Response>, Updates<Update> {
  /** Ends the updates; the responses go on. Ending them again is a no-op. */
  end(): void
}

abstract class ScopedCall implements Call {
  protected readonly scope: CallScope
  protected readonly channel: Channel

  constructor(scope: CallScope, channel: Channel) {
    this.scope = scope
    this.channel = channel
  }

  get peer(): Peer {
    return this.channel.peer
  }

  cancel(reason?: unknown): void {
    this.scope.cancel(new RpcError('cancelled', 'the caller cancelled the call', { cause: reason }))
  }

  [Symbol.dispose](): void {
    this.cancel()
  }
}

export class ClientStream<Update, Response> extends ScopedCall implements ClientStreamingCall<Update, Response> {
  readonly #updates: UpdateSender
  #response: Promise<Response> | undefined = undefined
  #finished = false

  constructor(scope: CallScope, channel: Channel) {
    super(scope, channel)
    this.#updates = new UpdateSender(scope, channel)
  }

  get response(): Promise<Response> {
    if (this.#response === undefined) {
      this.#response = this.channel.receiveOnly() as Promise<Response>
      this.#response.catch(ignore)
    }
    return this.#response
  }

  send(update: Update): Promise<void> | undefined {
    return this.#updates.send(update)
  }

  trySend(update: Update): boolean {
    return this.#updates.trySend(update)
  }

  get stopped(): boolean {
    return this.#updates.stopped
  }

  finish(): Promise<Response> {
    if (this.#finished) {
      return Promise.reject(new RpcError('failed_precondition', 'finish was called before: await `response` instead'))
    }
    this.#finished = true
    this.#updates.end()
    return this.response
  }
}

export class ServerStream<Response> extends ScopedCall implements ServerStreamingCall<Response> {
  get started(): Promise<void> {
    return this.channel.started()
  }

  get ended(): boolean {
    return this.channel.ended
  }

  receive(): Response | undefined | Promise<Response | undefined> {
    return this.channel.receive() as Response | undefined | Promise<Response | undefined>
  }

  [Symbol.asyncIterator](): AsyncIterator<Response, undefined> {
    const responses = this.channel[Symbol.asyncIterator]() as AsyncIterator<Response, undefined>
    return {
      next: () => responses.next(),
      return: () => {
        this.cancel()
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }
}

export class BidiStream<Update, Response>
  extends ServerStream<Response>
  implements BidiStreamingCall<Update, Response>
{
  readonly #updates: UpdateSender

  constructor(scope: CallScope, channel: Channel) {
    super(scope, channel)
    this.#updates = new UpdateSender(scope, channel)
  }

  send(update: Update): Promise<void> | undefined {
    return this.#updates.send(update)
  }

  trySend(update: Update): boolean {
    return this.#updates.trySend(update)
  }

  get stopped(): boolean {
    return this.#updates.stopped
  }

  end(): void {
    this.#updates.end()
  }
}

function ignore(): void {}
