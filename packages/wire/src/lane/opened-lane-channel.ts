import {
  addObserver,
  type Channel,
  type ChannelObserver,
  type Peer,
  ReceiveHalf,
  RpcError,
  tellClosed,
} from '@qrpc/core'
import type { ControlItem } from '../control/control-item.ts'
import type { CutMessage } from './cut-message.ts'
import type { GatheredMessage } from './gathered-message.ts'

/** The lane of a channel that this side has opened. */
export interface OpeningLane {
  readonly peer: Peer
  /** Sends the request, and gives the call its number. Throws what cannot be sent, or why the lane is gone. */
  request(channel: OpenedLaneChannel, message: unknown): void
  /** Tells the peer that nobody waits for the response any more. */
  cancelled(channel: OpenedLaneChannel, error: RpcError): void
  /** A channel that never sent its request is over. */
  dropped(channel: OpenedLaneChannel): void
  /** A response was not what it should be. */
  refused(error: unknown): void
  /** What a response says; throws where it cannot be decoded. */
  decode(payload: Uint8Array): unknown
}

/** A channel of one request and one response, which this side has opened on a lane. */
export class OpenedLaneChannel extends ReceiveHalf<unknown> implements Channel {
  readonly peer: Peer
  /** Its number on the lane; -1 until the request is sent. */
  call = -1
  /** What of the request is still to be sent, and of the response has arrived. For the lane. */
  cut: CutMessage | undefined = undefined
  gathered: GatheredMessage | undefined = undefined

  private readonly lane: OpeningLane
  private sendOver = false
  private told = false
  private cutOff: RpcError | undefined = undefined
  private observer: ChannelObserver | undefined = undefined

  constructor(lane: OpeningLane) {
    super()
    this.lane = lane
    this.peer = lane.peer
  }

  /** Whether the response is there, or nobody waits for it any more. */
  get over(): boolean {
    return this.finished
  }

  send(message: unknown, last = false): undefined {
    if (this.sendOver) throw this.notSending()
    if (this.call >= 0) {
      this.cancel(new RpcError('invalid_argument', 'a call of one request was sent another'))
      return undefined
    }
    this.lane.request(this, message)
    if (last) this.endSending()
    return undefined
  }

  trySend(message: unknown): boolean {
    this.send(message)
    return true
  }

  end(error?: RpcError): void {
    if (this.sendOver) return
    if (error !== undefined) this.cancel(error)
    else if (this.call < 0) this.cancel(new RpcError('invalid_argument', 'a unary call was ended without its request'))
    else this.endSending()
  }

  reset(error: RpcError): void {
    if (!this.sendOver) this.cancel(error)
  }

  stop(error: RpcError): void {
    if (this.told) this.abort(error)
    else this.cancel(error)
  }

  cancel(error: RpcError): void {
    if (this.told) return
    this.close(error)
    this.gathered?.drop()
    if (this.call < 0) this.lane.dropped(this)
    else this.lane.cancelled(this, error)
  }

  observe(observer: ChannelObserver): void {
    this.observer = addObserver(this.observer, observer)
    if (this.told) this.tell()
  }

  /** The response is there. */
  answered(payload: Uint8Array): void {
    if (this.finished) return
    try {
      this.deliver(this.lane.decode(payload), true)
    } catch (error) {
      this.lane.refused(error)
      this.lost(RpcError.from(error, 'internal'))
      return
    }
    this.received()
  }

  /** The call has ended without a response. */
  ending(item: Exclude<ControlItem, { kind: 'lane' }>): void {
    if (this.finished) return
    if (item.kind === 'end') this.finish(undefined)
    else if (item.kind === 'status') this.finish(item.error)
    else {
      if (item.kind === 'cancel') this.cutOff = item.error
      this.abort(item.error)
    }
    this.received()
  }

  /** Both halves are over, and not by this side's doing. */
  lost(error: RpcError): void {
    if (this.told) return
    this.gathered?.drop()
    this.cutOff = error
    this.close(error)
  }

  protected onRoom(): void {}

  private close(error: RpcError): void {
    this.abort(error)
    this.sendOver = true
    this.told = true
    this.tell()
  }

  private endSending(): void {
    this.sendOver = true
    if (this.finished) this.bothOver()
  }

  private received(): void {
    // Whatever is still to be sent, nobody needs it.
    this.sendOver = true
    this.bothOver()
  }

  private bothOver(): void {
    if (this.told) return
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
    return this.cutOff ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
  }
}
