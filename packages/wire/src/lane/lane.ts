import { Queue, RpcError } from '@qrpc/core'
import type { ByteStream, ByteStreamReader } from '../channel/byte-stream.ts'
import { flushSoon } from '../channel/flush-queue.ts'
import type { ControlItem, Signal } from '../control/control-item.ts'
import type { LimitError } from '../counters/limit-error.ts'
import type { TrafficObserver } from '../counters/traffic-observer.ts'
import { tooLarge } from '../frame/frame.ts'
import type { FrameBatch } from '../frame/frame-batch.ts'
import type { FrameReader } from '../frame/frame-reader.ts'
import { readVarint, varintSizeOf } from '../frame/varint.ts'
import type { WireFormat } from '../wire-format.ts'
import type { CutMessage } from './cut-message.ts'
import type { GatheredMessage, Gathering } from './gathered-message.ts'
import { callOf, kindOf, MESSAGE, PIECE, START } from './tag.ts'

// What is gathered before it leaves without waiting for the turn to end.
const FLUSH_SIZE = 64 * 1024
// What a frame may hold besides the message: its tag, and the size of the whole.
const FRAME_OVERHEAD = 16
// A peer may have a larger limit, and its small messages must not cost all calls their lane.
const SMALLEST_FRAME_LIMIT = 64 * 1024

const NOTHING = new Uint8Array(0)

/** A message that a lane keeps, all of it or a part. */
export interface KeptMessage {
  /** Bytes that it keeps. */
  readonly size: number
  /** Ends its call. */
  readonly drop: () => void
}

/**
 * One stream that many calls of one message each way share. What they send in a turn leaves together; a message that is
 * too large for one frame leaves in pieces, which take turns with those of others and let all small ones pass.
 *
 * @see docs/lanes.md, and docs/wire-format.md for its frames
 */
export abstract class Lane implements ByteStreamReader {
  protected readonly format: WireFormat
  protected readonly stream: ByteStream
  protected readonly batch: FrameBatch
  private readonly reader: FrameReader
  /** What has arrived in pieces, and not yet as a whole. */
  protected readonly gathering: Gathering = { total: 0 }
  protected readonly traffic: TrafficObserver
  private readonly cut = new Queue<CutMessage>()
  private cutLeft = 0
  private flushing = false
  private blocked = false
  private finAsked = false
  private finSent = false
  private deaf = false
  /** Bytes that it keeps: of messages that arrive, and that wait to be sent. */
  kept = 0
  /** Nothing can be sent or received any more. */
  protected gone = false

  constructor(format: WireFormat, stream: ByteStream, reader: FrameReader, traffic: TrafficObserver) {
    this.format = format
    this.traffic = traffic
    this.stream = stream
    this.batch = format.createBatch()
    this.reader = reader
    reader.maxFrameSize = Math.max(format.maxMessageSize, SMALLEST_FRAME_LIMIT) + FRAME_OVERHEAD
  }

  /** Bytes that wait to be sent. */
  get unsent(): number {
    return this.batch.size + this.cutLeft
  }

  /** Of these, the bytes that are kept for the peer's sake. */
  protected abstract readonly keptToSend: number

  /** Ends the calls whose messages keep the most, until so many bytes are let go of. */
  protected dropLargest(messages: KeptMessage[], bytes: number, error: LimitError): void {
    let left = bytes
    for (const { size, drop } of messages.sort((one, other) => other.size - one.size)) {
      if (left <= 0) break
      left -= size
      this.traffic.onRefused(error)
      drop()
    }
    this.countKept()
  }

  /** Reads what the reader has taken before the lane was there. */
  readFrames(): void {
    this.read(undefined)
  }

  onBytes(chunk: Uint8Array): void {
    this.traffic.onReceived(chunk.length)
    if (!this.deaf) this.read(chunk)
  }

  private read(chunk: Uint8Array | undefined): void {
    try {
      if (chunk !== undefined) this.reader.push(chunk)
      for (let frame = this.reader.next(); frame !== undefined; frame = this.reader.next()) {
        if (frame.control) this.onControlFrame(frame.payload)
        else this.onMessageFrame(frame.payload)
        if (this.deaf) return
      }
      this.countKept()
    } catch (error) {
      this.onViolation(RpcError.from(error, 'internal'))
    }
  }

  onDrain(): void {
    this.blocked = false
    this.flush()
  }

  onEnd(): void {
    this.onPeerEnded()
  }

  onClosed(error: RpcError | undefined): void {
    if (this.gone) return
    this.gone = true
    this.deaf = true
    this.batch.take()
    for (let cut = this.cut.shift(); cut !== undefined; cut = this.cut.shift()) this.dropCut(cut)
    this.countKept()
    this.onGone(error ?? new RpcError('unavailable', 'the lane was closed before its calls were answered'))
  }

  /** Hands what was gathered to the stream, and pieces of what is large as far as there is room. */
  flush(): void {
    this.flushing = false
    if (this.gone || this.blocked || this.finSent) return
    do {
      while (this.cut.size > 0 && this.batch.size < FLUSH_SIZE) this.addPiece()
      const fin = this.finAsked && !this.finSent && this.cut.size === 0
      const size = this.batch.size
      if (size === 0 && !fin) break
      if (fin) this.finSent = true
      this.traffic.onSent(size)
      this.blocked = !this.stream.write(this.batch.take(), size, fin)
    } while (!this.blocked && this.cut.size > 0)
    this.countKept()
    this.onFlushed()
  }

  /** Sends the message of a call. Throws as `WireFormat.addFirst` does, and nothing is sent then. */
  protected sendMessage(call: number, message: unknown, first: boolean): CutMessage | undefined {
    const cut = this.format.addOnLane(this.batch, call, message, first)
    if (cut !== undefined) {
      // It goes with the others of its turn, so that calls start in the order of their numbers.
      cut.addStart(this.batch)
      if (cut.left > 0) {
        this.cut.push(cut)
        this.cutLeft += cut.left
      }
    }
    this.flushLater()
    return cut
  }

  /** Sends a control item for a call; without an error the clean end. */
  protected sendSignal(call: number, kind: Signal, error: RpcError | undefined): void {
    this.format.addSignalOnLane(this.batch, call, kind, error)
    this.flushLater()
  }

  /** Sends what concerns the lane, and no call of it: it ends, or its calls should be the last. */
  protected sendLaneEnd(fin: boolean): void {
    this.format.addEnd(this.batch)
    if (fin) this.finAsked = true
    this.flushLater()
  }

  /** Ends the own half of the stream behind what was sent. */
  protected finish(): void {
    this.finAsked = true
    this.flushLater()
  }

  /** Sends no more of a message. */
  protected dropCut(cut: CutMessage): void {
    this.cutLeft -= cut.left
    cut.drop()
  }

  protected flushLater(): void {
    if (this.blocked) this.countKept()
    if (this.batch.size >= FLUSH_SIZE && !this.blocked) this.flush()
    else if (!this.flushing && !this.blocked) {
      this.flushing = true
      flushSoon(this)
    }
  }

  /** The peer does not keep to the format, or what it was told to: all calls are lost. */
  protected onViolation(error: RpcError): void {
    this.traffic.onRefused(error)
    this.deaf = true
    // The stream would only say that it is gone.
    this.onClosed(error)
    this.stream.reset(error)
  }

  /** A message has come in one frame. */
  protected abstract onMessage(call: number, payload: Uint8Array): void
  /** The last piece of a message has come. */
  protected abstract onWhole(call: number, payload: Uint8Array): void
  /** A message of so many bytes begins, of which pieces are to come. @returns Where to gather it; `undefined` to leave it. */
  protected abstract onStart(call: number, size: number): GatheredMessage | undefined
  /** What is gathered of a message of this call. */
  protected abstract gathered(call: number): GatheredMessage | undefined
  /** A control item for a call. */
  protected abstract onSignal(call: number, item: ControlItem): void
  /** Whether what was read as the number of a call is none: the item is for the stream, from a peer that takes no lane. */
  protected isRefusal(_call: number): boolean {
    return false
  }

  /** The peer does not take the lane. */
  protected onRefused(_item: ControlItem): void {}

  /** The peer sends no more calls, or asks for no more. */
  protected abstract onLaneEnd(): void
  /** The peer has ended its half of the stream. */
  protected abstract onPeerEnded(): void
  /** The stream is gone, and with it all calls. */
  protected abstract onGone(error: RpcError): void
  /** There may be room for more. */
  protected abstract onFlushed(): void
  /** A message has been handed out to its last piece. */
  protected abstract onCutSent(call: number): void

  private addPiece(): void {
    const cut = this.cut.shift() as CutMessage
    if (cut.left === 0) return
    this.cutLeft -= cut.left
    cut.addPiece(this.batch)
    this.cutLeft += cut.left
    if (cut.left > 0) this.cut.push(cut)
    else this.onCutSent(cut.call)
  }

  private onControlFrame(payload: Uint8Array): void {
    if (payload.length === 0) {
      this.onLaneEnd()
      return
    }
    const call = varintAt(payload, 0)
    if (this.isRefusal(call)) this.onRefused(this.format.decodeControl(payload))
    else this.onSignal(call, this.format.decodeControl(viewFrom(payload, varintLength(payload, 0))))
  }

  private onMessageFrame(frame: Uint8Array): void {
    const tag = varintAt(frame, 0)
    const call = callOf(tag)
    const start = varintLength(frame, 0)
    const kind = kindOf(tag)
    if (kind === MESSAGE) this.onMessage(call, viewFrom(frame, start))
    else if (kind === START)
      this.begin(call, varintAt(frame, start), viewFrom(frame, start + varintLength(frame, start)))
    else if (kind === PIECE) this.goOn(call, viewFrom(frame, start))
    else throw new RpcError('invalid_argument', 'a frame on a lane is neither a message nor a part of one')
  }

  private begin(call: number, size: number, piece: Uint8Array): void {
    const gathered = this.onStart(call, size)
    if (gathered !== undefined) this.gather(call, gathered, piece)
  }

  private goOn(call: number, piece: Uint8Array): void {
    const gathered = this.gathered(call)
    if (gathered !== undefined) this.gather(call, gathered, piece)
  }

  private gather(call: number, gathered: GatheredMessage, piece: Uint8Array): void {
    gathered.add(piece)
    if (gathered.complete) this.onWhole(call, gathered.take())
  }

  /** Tells how much the lane keeps, where that has changed. */
  private countKept(): void {
    const kept = this.gone ? 0 : this.gathering.total + this.keptToSend
    if (kept === this.kept) return
    const more = kept - this.kept
    this.kept = kept
    this.traffic.onKept(more)
  }

  /** The error of a message over the limit of this side. */
  protected tooLarge(size: number): RpcError {
    return tooLarge(size, this.format.maxMessageSize)
  }
}

function varintLength(frame: Uint8Array, offset: number): number {
  return varintSizeOf(frame[offset] ?? 0)
}

function varintAt(frame: Uint8Array, offset: number): number {
  if (offset + varintLength(frame, offset) > frame.length) {
    throw new RpcError('invalid_argument', 'a frame on a lane is cut off')
  }
  return readVarint(frame, offset)
}

function viewFrom(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.length === offset
    ? NOTHING
    : new Uint8Array(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset)
}
