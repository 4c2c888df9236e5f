import {
  addObserver,
  type Channel,
  type ChannelObserver,
  isRequest,
  type Peer,
  ReceiveHalf,
  RpcError,
  tellClosed,
} from '@qrpc/core'
import { type Frame, fromStatus, toStatus } from './frame.ts'
import { Room } from './room.ts'

/** Messages that a sender may be ahead of its reader. */
export const WINDOW = 64

/** Whose channels they are: a connection. */
export interface PortChannelOwner {
  /** Carries a frame to the other end. @throws for what cannot be cloned. */
  post(channel: PortChannel, frame: Frame): void
  /** The peer has sent for the first time: an accepted channel can be handed out. */
  onFirstFrame(channel: PortChannel): void
  /** Both halves are over. */
  onOver(channel: PortChannel): void
}

/** One of the channels that share a port. The reader's side of it is that of {@link ReceiveHalf}. */
export class PortChannel extends ReceiveHalf<unknown> implements Channel {
  readonly id: number
  readonly peer: Peer
  readonly #owner: PortChannelOwner
  readonly #room = new Room(WINDOW)
  #announced: boolean
  #sendOver = false
  #peerOver = false
  #told = false
  // Messages that the reader has taken since the sender was last told.
  #taken = 0
  // Why the peer, or the loss of the connection, ended the send half.
  #stopped: RpcError | undefined = undefined
  #cutOff: RpcError | undefined = undefined
  #observer: ChannelObserver | undefined = undefined

  constructor(id: number, peer: Peer, owner: PortChannelOwner, opened: boolean) {
    super()
    this.id = id
    this.peer = peer
    this.#owner = owner
    this.#announced = opened
  }

  /** Whether both halves are over. */
  get over(): boolean {
    return this.#sendOver && this.#peerOver
  }

  send(message: unknown, last = false): Promise<void> | undefined {
    this.#sendNow(message, last)
    return last ? undefined : this.#room.wait()
  }

  trySend(message: unknown): boolean {
    if (!this.#sendOver && this.#room.full) return false
    this.#sendNow(message, false)
    return true
  }

  end(error?: RpcError): void {
    if (this.#sendOver) return
    this.#tell('end', error)
    this.#endSending(undefined)
  }

  reset(error: RpcError): void {
    if (this.#sendOver) return
    this.#tell('reset', error)
    this.#endSending(undefined)
  }

  stop(error: RpcError): void {
    this.abort(error)
    if (this.#peerOver) return
    this.#tell('stop', error)
    this.#endPeer()
  }

  cancel(error: RpcError): void {
    if (this.over) return
    this.#tell('cancel', error)
    this.abort(error)
    this.#peerOver = true
    this.#room.lose(error)
    this.#endSending(undefined)
  }

  observe(observer: ChannelObserver): void {
    if (this.#told) tellClosed(observer, this.#cutOff)
    else this.#observer = addObserver(this.#observer, observer)
  }

  /** Cuts off both ends, as the loss of a connection does: each side sees its own error. */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    if (this.over) return
    this.#tell('cancel', errorThere)
    this.lose(errorHere, true)
  }

  /** Cut off by the peer's doing, or by nobody's. */
  lose(error: RpcError, dropUnread: boolean): void {
    if (this.over) return
    this.#cutOff ??= error
    this.#peerOver = true
    if (dropUnread || !this.finished) this.abort(error)
    this.#endSending(error)
  }

  onFrame(frame: Frame): void {
    if (this.over) return
    switch (frame.kind) {
      case 'message':
        this.#onMessage(frame.message, frame.last)
        break
      case 'end':
        this.finish(frame.status && fromStatus(frame.status))
        this.#endPeer()
        break
      case 'reset':
        this.#cutOff ??= fromStatus(frame.status)
        this.abort(fromStatus(frame.status))
        this.#endPeer()
        break
      case 'stop':
        this.#endSending(fromStatus(frame.status))
        return
      case 'cancel':
        this.lose(fromStatus(frame.status), true)
        return
      case 'credit':
        this.#room.free(frame.messages)
        return
    }
    this.#announce()
  }

  /** The reader has taken a message. Half a window at a time is told, so that a stream costs few frames the other way. */
  protected onRoom(): void {
    if (++this.#taken < WINDOW / 2 || this.#peerOver) return
    this.#owner.post(this, { kind: 'credit', messages: this.#taken })
    this.#taken = 0
  }

  #onMessage(message: unknown, last: boolean): void {
    // Some may cross with what this side has said.
    if (this.#peerOver) return
    const before = this.buffered
    this.deliver(message, last)
    if (last) this.#endPeer()
    // A reader that waited has taken it at once.
    else if (this.buffered === before) this.onRoom()
  }

  #sendNow(message: unknown, last: boolean): void {
    if (this.#sendOver) {
      throw (
        this.#stopped ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
      )
    }
    try {
      this.#owner.post(this, { kind: 'message', message: cloneable(message), last })
    } catch (error) {
      throw new RpcError('invalid_argument', 'the message cannot be cloned', { cause: error })
    }
    this.#room.take()
    if (last) this.#endSending(undefined)
  }

  /** It must not throw: data that cannot be cloned makes the error `internal`. */
  #tell(kind: 'end' | 'reset' | 'stop' | 'cancel', error: RpcError | undefined): void {
    try {
      this.#owner.post(this, { kind, status: error && toStatus(error) } as Frame)
    } catch {
      const status = toStatus(
        new RpcError('internal', `the call failed with ${error?.code}; its data cannot be cloned`),
      )
      this.#owner.post(this, { kind, status })
    }
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#owner.onFirstFrame(this)
  }

  #endPeer(): void {
    this.#peerOver = true
    this.#closeWhenOver()
  }

  #endSending(stopped: RpcError | undefined): void {
    if (!this.#sendOver) this.#stopped = stopped
    this.#sendOver = true
    if (stopped !== undefined) this.#room.lose(stopped)
    this.#closeWhenOver()
  }

  #closeWhenOver(): void {
    if (!this.over || this.#told) return
    this.#told = true
    this.#owner.onOver(this)
    tellClosed(this.#observer, this.#cutOff)
  }
}

/** What is cloned takes all that it refers to along: a view, its whole buffer; a request, getters that are no data. */
function cloneable(message: unknown): unknown {
  if (message instanceof Uint8Array && message.byteLength < message.buffer.byteLength) return message.slice()
  if (!isRequest(message)) return message
  return {
    method: message.method,
    metadata: message.metadata,
    timeout: message.timeout,
    message: cloneable(message.message),
  }
}
