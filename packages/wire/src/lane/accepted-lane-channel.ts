import {
  addObserver,
  type Channel,
  type ChannelObserver,
  type Peer,
  ReceiveHalf,
  RpcError,
  tellClosed,
} from '@qrpc/core'
import type { Signal } from '../control/control-item.ts'
import type { CutMessage } from './cut-message.ts'

/** The lane of a channel that the peer has opened. */
export interface AcceptingLane {
  readonly peer: Peer
  /** Sends the response. Throws what cannot be sent, or why the lane is gone. */
  respond(channel: AcceptedLaneChannel, message: unknown): void
  /** Ends the call without a response: cleanly, or with an error. */
  refuse(channel: AcceptedLaneChannel, kind: Signal, error: RpcError | undefined): void
  /** Throws where the message cannot be sent. */
  check(message: unknown): void
}

/** A channel of one request and one response, which the peer has opened on a lane. */
export class AcceptedLaneChannel extends ReceiveHalf<unknown> implements Channel {
  readonly peer: Peer
  readonly call: number
  /** What of the response is still to be sent. For the lane. */
  cut: CutMessage | undefined = undefined

  private readonly lane: AcceptingLane
  private sendOver = false
  private stopped: RpcError | undefined = undefined
  // A response that was sent by hand, without its end.
  private held: unknown = undefined
  private holds = false
  private cutOff: RpcError | undefined = undefined
  private told = false
  private observer: ChannelObserver | undefined = undefined

  constructor(lane: AcceptingLane, call: number, request: unknown) {
    super()
    this.lane = lane
    this.peer = lane.peer
    this.call = call
    this.deliver(request, true)
  }

  /** Whether both halves are over. */
  get over(): boolean {
    return this.sendOver
  }

  send(message: unknown, last = false): undefined {
    if (this.sendOver) throw this.notSending()
    if (this.holds) {
      this.finishSending('status', new RpcError('internal', 'the server sent more than the one response that was due'))
    } else if (last) {
      this.lane.respond(this, message)
      this.sent()
    } else {
      this.lane.check(message)
      this.held = message
      this.holds = true
    }
    return undefined
  }

  trySend(message: unknown): boolean {
    this.send(message)
    return true
  }

  end(error?: RpcError): void {
    if (this.sendOver) return
    if (error === undefined && this.holds) {
      this.lane.respond(this, this.held)
      this.sent()
    } else this.finishSending('status', error)
  }

  reset(error: RpcError): void {
    if (!this.sendOver) this.finishSending('reset', error)
  }

  stop(error: RpcError): void {
    this.abort(error)
  }

  cancel(error: RpcError): void {
    this.abort(error)
    if (!this.sendOver) this.finishSending('cancel', error)
  }

  observe(observer: ChannelObserver): void {
    this.observer = addObserver(this.observer, observer)
    if (this.told) this.tell()
  }

  /** Both halves are over, and not by this side's doing. */
  lost(error: RpcError): void {
    if (this.sendOver) return
    this.cutOff = error
    this.stopped = error
    if (!this.ended) this.abort(error)
    this.sent()
  }

  protected onRoom(): void {}

  private finishSending(kind: Signal, error: RpcError | undefined): void {
    this.lane.refuse(this, kind, error)
    this.sent()
  }

  private sent(): void {
    this.sendOver = true
    this.held = undefined
    this.told = true
    this.tell()
  }

  private tell(): void {
    const observers = this.observer
    if (observers === undefined) return
    this.observer = undefined
    tellClosed(observers, this.cutOff)
  }

  private notSending(): RpcError {
    return this.stopped ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
  }
}
