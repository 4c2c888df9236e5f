import { addObserver, type Channel, type ChannelObserver, isRequest, type Peer, RpcError, tellClosed } from '@qrpc/core'
import { LimitError } from '../counters/limit-error.ts'
import type { Frame } from '../frame/frame.ts'
import type { FrameReader } from '../frame/frame-reader.ts'
import type { ByteStream, ByteStreamReader } from './byte-stream.ts'
import { HeldBytes } from './held-bytes.ts'
import { SendingHalf, type SendingHalfOwner } from './sending-half.ts'

const NOTHING = new Uint8Array(0)

/** What a stream that is no channel's becomes. */
export interface Successor {
  /** Reads what has arrived already. */
  readFrames(): void
}

/** Whose channels they are: a connection. */
export interface ByteChannelOwner extends SendingHalfOwner {
  /** Bytes of messages that a channel holds for its reader before it pauses its stream. */
  readonly receiveWindow: number
  /** The first frame of an accepted channel has arrived: it can be handed out. */
  onFirstFrame(channel: ByteChannel): void
  /** The stream is to be a lane. @returns What reads it from now on, or `undefined` where there are no lanes. */
  onLane(channel: ByteChannel, stream: ByteStream, reader: FrameReader): Successor | undefined
  /** This side has cut both halves off and told the peer, which should close its side of the stream soon. */
  onCutOff(channel: ByteChannel): void
  /** The stream is gone, and with it all that the channel held. */
  onGone(channel: ByteChannel): void
}

/**
 * A channel over a byte stream, in the format of docs/wire-format.md.
 *
 * Each half ends with a frame that says so. The stream's own write side ends once this side has nothing more to say:
 * its send half is over, and the other has ended or was stopped. Until then it stays open, so that a call can be
 * cancelled without a reset of the stream.
 */
export class ByteChannel extends SendingHalf implements Channel, ByteStreamReader {
  readonly peer: Peer
  /** For its owner: when the peer is given up, in ticks of the owner's. */
  expiresAt: number = Number.MAX_SAFE_INTEGER

  /** Bytes that are kept, in either direction, as the owner knows it. */
  kept = 0

  declare protected readonly owner: ByteChannelOwner
  private readonly reader: FrameReader
  private readonly method: string | undefined

  private announced: boolean
  private receivedFirst: boolean
  /** The peer has ended its half. */
  private peerEnded = false
  /** This side has told the peer to stop. */
  private stopSent = false
  private deaf = false
  private held: HeldBytes | undefined = undefined
  private paused = false

  private cutOff: RpcError | undefined = undefined
  private observer: ChannelObserver | undefined = undefined
  private told = false
  private successor: Successor | undefined = undefined

  /**
   * @param opened Whether this side has opened the stream, so that its first message is the request.
   * @param method For an accepted channel: the method for which the stream was opened, which the request must name.
   */
  constructor(owner: ByteChannelOwner, stream: ByteStream, peer: Peer, opened: boolean, method?: string) {
    super(owner, stream, opened)
    this.peer = peer
    this.method = method
    this.announced = opened
    this.receivedFirst = opened
    this.reader = owner.format.createReader()
  }

  /** Bytes from the peer that are kept: unread messages, a frame that is incomplete, what the stream has not handed out. */
  private get unread(): number {
    return (this.held?.total ?? 0) + this.reader.held + (this.stream.unread ?? 0)
  }

  /** Whether both halves are over. */
  get over(): boolean {
    return this.sendOver && (this.peerEnded || this.stopSent)
  }

  stop(error: RpcError): void {
    this.abort(error)
    if (this.peerEnded || this.stopSent) return
    this.owner.format.addSignal(this.batch, 'stop', error)
    this.stopSent = true
    this.progress()
  }

  cancel(error: RpcError): void {
    if (this.over) return
    this.senders?.lost(error)
    if (this.wrote || !this.opened) {
      this.signalInstead('cancel', error)
      this.finishBoth(error)
      // What must leave before it may never do so.
      if (this.blocked) this.stream.reset(error)
    } else {
      // The peer has not heard of it yet, and need not.
      this.gone = true
      this.finishBoth(error)
      this.stream.reset(error)
      this.countKept()
      this.owner.onGone(this)
    }
  }

  /**
   * Cuts off both halves as the loss of a connection does, and tells the peer why.
   *
   * @returns False where what says so waits behind what the peer does not read.
   */
  sever(errorHere: RpcError, errorThere: RpcError): boolean {
    if (this.over) return true
    this.turnDeaf()
    this.lose(errorHere, errorThere)
    return !this.blocked
  }

  /** Cuts off both halves, and keeps nothing for the peer any more. */
  shed(error: RpcError): void {
    if (this.over && !this.blocked) return
    this.owner.onRefused(error)
    this.sever(error, error)
    if (this.blocked) this.stream.reset(error)
    this.countKept()
  }

  /** Gives up on a peer that does not send its first frame, or close the stream, in time. */
  drop(): void {
    if (this.announced || this.over) {
      this.stream.reset(new RpcError('cancelled', 'the peer did not close the stream in time'))
      return
    }
    // It is never handed out. The peer is told, and then has its time to close the stream.
    this.announced = true
    const error = new LimitError('firstFrameTimeoutMs', 'deadline_exceeded', 'the first frame did not come in time')
    this.owner.onRefused(error)
    this.sever(error, error)
  }

  observe(observer: ChannelObserver): void {
    this.observer = addObserver(this.observer, observer)
    if (this.told) this.tell()
  }

  get space(): Uint8Array | undefined {
    return this.deaf ? undefined : this.reader.space
  }

  onSpaceFilled(size: number): void {
    this.owner.onReceived(size)
    this.reader.filled(size)
    this.readFrames(NOTHING)
  }

  onBytes(chunk: Uint8Array): void {
    this.owner.onReceived(chunk.length)
    if (!this.deaf) this.readFrames(chunk)
  }

  private readFrames(chunk: Uint8Array): void {
    try {
      this.reader.push(chunk)
      for (let frame = this.reader.next(); frame !== undefined; frame = this.reader.next()) {
        this.onFrame(frame)
        if (this.deaf) break
      }
    } catch (error) {
      this.onViolation(RpcError.from(error, 'internal'))
    }
    if (this.successor !== undefined) this.successor.readFrames()
    else if (!this.announced && this.receivedFirst) this.announce()
    this.countKept()
  }

  /**
   * Tells the owner how much the channel keeps, where that has changed: what nobody has read, and what the client that has
   * opened it does not take.
   */
  countKept(): void {
    const kept = this.gone ? 0 : this.unread + this.unsent
    if (kept === this.kept) return
    const more = kept - this.kept
    this.kept = kept
    this.owner.onKept(more)
  }

  onEnd(): void {
    if (this.peerEnded) return
    const error = new RpcError('unavailable', 'the peer closed the stream before it had ended its half')
    // It may still read, and has perhaps lost what it sent on the way.
    this.lose(error, error)
  }

  onClosed(error: RpcError | undefined): void {
    if (this.gone) return
    this.gone = true
    this.batch.take()
    this.countKept()
    if (!this.over) {
      this.lose(error ?? new RpcError('unavailable', 'the stream was closed before both halves had ended'))
    }
    this.owner.onGone(this)
  }

  protected onRoom(): void {
    if (this.held === undefined) return
    this.held.take()
    if (this.paused && this.held.total <= this.owner.receiveWindow >> 1) this.unpause()
    this.countKept()
  }

  protected override onWaitForOnly(): void {
    this.unpause()
  }

  protected override onTooMany(error: RpcError): void {
    this.onViolation(error)
  }

  /** What is dropped unread makes room, too. */
  protected override abort(error: RpcError): void {
    super.abort(error)
    this.unpause()
    if (this.held === undefined) return
    this.held = undefined
    this.countKept()
  }

  /** This side ends both halves. */
  private finishBoth(error: RpcError): void {
    this.abort(error)
    this.sendOver = true
    this.stopSent = true
    this.progress()
    if (!this.gone) this.owner.onCutOff(this)
  }

  private onFrame(frame: Frame): void {
    if (frame.control) this.onControl(frame.payload)
    else if (this.peerEnded) throw new RpcError('invalid_argument', 'a message came after the end of its half')
    else if (this.receivedFirst) {
      if (!this.finished) this.receiveMessage(this.owner.format.decodeMessage(frame.payload), frame.payload.length)
    } else {
      this.receivedFirst = true
      this.receiveMessage(
        this.checkMethod(this.owner.format.decodeFirst(frame.payload, this.method)),
        frame.payload.length,
      )
    }
  }

  /** What a proxy has let pass for one method must not call another. */
  private checkMethod(first: unknown): unknown {
    if (this.method !== undefined && isRequest(first) && first.method !== this.method) {
      throw new RpcError('invalid_argument', `a stream for ${this.method} has a request for ${first.method}`)
    }
    return first
  }

  private receiveMessage(message: unknown, size: number): void {
    const before = this.buffered
    this.deliver(message, false)
    if (this.buffered === before) return
    this.held ??= new HeldBytes()
    this.held.add(size)
    if (this.held.total > this.owner.receiveWindow && !this.paused && !this.waitsForOnly) {
      this.paused = true
      this.stream.pause()
    }
  }

  private onControl(payload: Uint8Array): void {
    const item = this.owner.format.decodeControl(payload)
    if (item.kind === 'cancel') {
      this.onCancel(item.error)
      return
    }
    if (item.kind === 'stop') {
      this.onStop(item.error)
      return
    }
    if (item.kind === 'lane') {
      this.becomeLane()
      return
    }
    if (this.peerEnded) throw new RpcError('invalid_argument', 'a half has ended twice')
    this.receivedFirst = true
    this.peerEnded = true
    if (item.kind === 'end') this.finish(undefined)
    else if (item.kind === 'status') this.finish(item.error)
    else this.abort(item.error)
    // All that is still to come is the end of the stream.
    this.unpause()
    if (this.over) this.progress()
  }

  private becomeLane(): void {
    // What a proxy has let pass for one method must not be a way to call any.
    const used = this.receivedFirst || this.sendOver || this.method !== undefined
    const successor = used ? undefined : this.owner.onLane(this, this.stream, this.reader)
    if (successor === undefined) throw new RpcError('invalid_argument', 'this stream cannot be a lane')
    this.successor = successor
    this.deaf = true
    this.gone = true
  }

  private onStop(error: RpcError): void {
    if (this.sendOver) return
    this.stopped = error
    this.senders?.lost(error)
    this.batch.take()
    this.owner.format.addEnd(this.batch)
    this.endSending()
  }

  private onCancel(error: RpcError): void {
    // An accepted channel that is cancelled before it was handed out never existed.
    if (!this.receivedFirst) this.announced = true
    this.turnDeaf()
    this.lose(error)
  }

  /** The peer does not keep to the format: nothing that it sends on this stream can be trusted any more. */
  private onViolation(error: RpcError): void {
    this.owner.onRefused(error)
    this.turnDeaf()
    this.receivedFirst = true
    const tooLateToTell = this.finSent
    this.lose(error, error)
    if (tooLateToTell) this.stream.reset(error)
  }

  /** What still comes is not looked at. */
  private turnDeaf(): void {
    this.deaf = true
    this.reader.drop()
  }

  /** Both halves are over, and not by this side's doing. */
  private lose(error: RpcError, errorForPeer?: RpcError): void {
    if (!this.over) this.cutOff ??= error
    if (!this.sendOver) {
      this.stopped = error
      this.senders?.lost(error)
      this.batch.take()
      this.sendOver = true
    }
    if (!this.finished) this.abort(error)
    const telling = errorForPeer !== undefined && !this.finSent
    if (telling) this.signalInstead('cancel', errorForPeer)
    this.peerEnded = true
    this.unpause()
    this.progress()
    if (telling) this.owner.onCutOff(this)
  }

  protected onBothOver(): void {
    if (this.told) return
    this.told = true
    this.tell()
  }

  private announce(): void {
    this.announced = true
    this.owner.onFirstFrame(this)
  }

  private tell(): void {
    const observers = this.observer
    this.observer = undefined
    tellClosed(observers, this.cutOff)
  }

  private unpause(): void {
    if (!this.paused) return
    this.paused = false
    this.stream.resume()
  }
}
