import type { Pattern } from '../contract/method.ts'
import type { RpcError } from '../error.ts'
import type { MetadataEntries } from '../metadata.ts'

/** Where the other side of a channel is. */
export interface Peer {
  /** The transport that carries the channel: `mem`, `http2`, `quic`. */
  readonly transport: string
  /** The address of the other side, as the transport writes it. */
  readonly address: string
  /** The verified certificate of the other side in DER, over TLS with a certificate asked for. */
  readonly certificate?: Uint8Array
}

/** Learns once that a channel is over. */
export interface ChannelObserver {
  /**
   * Both halves are over. Without an error each of them ended cleanly or by this side's own doing; with one the
   * channel was cut off: the peer cancelled, the connection was lost, or its connector or listener was closed.
   */
  onClose(error: RpcError | undefined): void
}

/**
 * One interaction's substream: a send half and a receive half that end, fail and are cancelled independently.
 *
 * Nothing waits that needn't: `send` and `receive` return a promise only where they must wait, so that
 * `await channel.send(m)` and `await channel.receive()` are always right and the fast path allocates nothing.
 * The promises of `send` and `started` never become unhandled rejections; those of `receive` are the caller's to catch.
 */
export interface Channel<Out = unknown, In = unknown> extends AsyncIterable<In> {
  /** The other side. */
  readonly peer: Peer

  /**
   * Sends a message. `undefined` says that it went into the window; a promise, that the sender must wait for room.
   *
   * @param last Ends the send half together with the message. Default: false.
   * @throws RpcError `failed_precondition` after `end` or `reset`; the peer's error once it has stopped or cancelled.
   */
  send(message: Out, last?: boolean): Promise<void> | undefined
  /** Sends a message if there is room for it: false instead of waiting. Throws as `send` does. */
  trySend(message: Out): boolean
  /**
   * Ends the send half after what was sent: cleanly, or with an error that the peer receives after the last message.
   * Ending it again is a no-op.
   */
  end(error?: RpcError): void
  /** Ends the send half at once: drops what is queued and tells the peer why. No-op after `end`. */
  reset(error: RpcError): void

  /**
   * The next message, or `undefined` at the end; then {@link ended} tells the end from a message that is `undefined`.
   * One call at a time.
   *
   * @throws RpcError what the peer ended or reset its half with, again at each call; `unavailable` when the connection was lost.
   */
  receive(): In | undefined | Promise<In | undefined>
  /**
   * The one message of the half, once the half has ended behind it.
   *
   * @throws RpcError (as a rejection) `unavailable` when the half ended without a message, `internal` when it had more than one; as `receive` does.
   */
  receiveOnly(): Promise<In>
  /**
   * Resolves once the first message or the clean end has arrived.
   *
   * @throws RpcError (as a rejection) what the half failed with before that.
   */
  started(): Promise<void>
  /** Whether `receive` has returned the end. */
  readonly ended: boolean
  /** Tells the peer to stop sending, and drops what was not read. `receive` then throws the error. */
  stop(error: RpcError): void

  /** Cuts off both halves at once: `reset` and `stop` in one. No-op on a half that is over. */
  cancel(error: RpcError): void
  /** Whom to tell that the channel is over; at once when it is over already. Several observers are told in order. */
  observe(observer: ChannelObserver): void
}

/** What a connector may know of the call that a channel is opened for. A channel opened by hand needs none of it. */
export interface OpenOptions {
  /** The path of the method: `compute/sqr`. Transports with requests of their own put it there. */
  readonly method?: string | undefined
  /** How many messages go each way. A transport may carry unary calls otherwise than streams. */
  readonly pattern?: Pattern | undefined
  /** Whether the method is declared to do no harm when it is executed twice. Default: false. */
  readonly idempotent?: boolean | undefined
  /** The call's metadata. */
  readonly metadata?: MetadataEntries | undefined
  /** Aborts an open that waits for a connection or its turn. Read only by an open that must wait. */
  readonly signal?: AbortSignal | undefined
}

/** How a connector or listener closes. */
export interface CloseOptions {
  /** How long open channels may go on, in ms, before they are cut off. */
  readonly graceMs?: number
}

/** Opens channels. It connects lazily, shares one connection, and connects anew when the old one died. */
export interface Connector<Out = unknown, In = unknown> extends AsyncDisposable {
  /** Where it connects to. */
  readonly address: string
  /**
   * Opens a channel: at once where a connection with room is there, else as a promise.
   *
   * @throws RpcError (or a rejection) `unavailable` when nobody is there, `failed_precondition` after `close`, `cancelled` when the signal aborted.
   */
  open(options?: OpenOptions): Channel<Out, In> | Promise<Channel<Out, In>>
  /** Opens no further channels, cuts off those that are open (`cancelled`) when `graceMs` (default 0) is over, and always resolves. */
  close(options?: CloseOptions): Promise<void>
}

/**
 * What a connector's connection is doing, as in gRPC's connectivity semantics:
 * - `idle`: there is none; the next open makes one.
 * - `connecting`: one is being made.
 * - `ready`: channels open at once.
 * - `transient_failure`: the last attempt failed; the next open makes another, after a backoff.
 * - `shutdown`: the connector was closed.
 *
 * @see https://grpc.github.io/grpc/core/md_doc_connectivity-semantics-and-api.html
 */
export type ConnectionState = 'idle' | 'connecting' | 'ready' | 'transient_failure' | 'shutdown'

/** Hears of a connection's states. The error says why it failed or was lost. */
export type ConnectionStateObserver = (state: ConnectionState, error: RpcError | undefined) => void

/** A connector whose connection can be watched. */
export interface StatefulConnector<Out = unknown, In = unknown> extends Connector<Out, In> {
  /** What the connection is doing now. */
  readonly state: ConnectionState
  /** Calls the observer at each change of the state. @returns A function that ends that. */
  observeState(observer: ConnectionStateObserver): () => void
}

/** Accepts channels, for one consumer: a callback, an accept loop, or `for await`. */
export interface Listener<Out = unknown, In = unknown> extends AsyncDisposable, AsyncIterable<Channel<Out, In>> {
  /** Where it can be reached. */
  readonly addresses: readonly string[]
  /** The next channel, or `undefined` once the listener is closed. */
  accept(): Promise<Channel<Out, In> | undefined>
  /**
   * Hands each channel to the callback from now on, those that wait first.
   *
   * @throws RpcError `failed_precondition` when it has a consumer already.
   */
  onChannel(callback: (channel: Channel<Out, In>) => void): void
  /**
   * Accepts no further channels, lets those that are open go on for `graceMs` (default 5000), then cuts them off
   * (`unavailable`), and always resolves. A second call may shorten the grace.
   */
  close(options?: CloseOptions): Promise<void>
}
