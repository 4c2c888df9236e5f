import type { Peer, RpcError } from '@qrpc/core'
import type { ByteChannel, ByteChannelOwner } from '../channel/byte-channel.ts'
import type { ByteStream } from '../channel/byte-stream.ts'
import type { BufferBudget, BufferKeeper } from '../counters/buffer-budget.ts'
import { LimitError } from '../counters/limit-error.ts'
import type { CountedConnection, Counters } from '../counters/transport-counters.ts'
import type { FrameReader } from '../frame/frame-reader.ts'
import { ServerLane, type ServerLaneObserver } from '../lane/server-lane.ts'
import type { WireFormat } from '../wire-format.ts'
import type { AcceptedChannel } from './accept-queue.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What a connection may keep unless a limit says otherwise: 256 MiB. */
export const DEFAULT_MAX_CONNECTION_BUFFER: number = 256 * 1024 * 1024

/** What all connections of a listener may keep unless a limit says otherwise: 1 GiB. */
export const DEFAULT_MAX_LISTENER_BUFFER: number = 1024 * 1024 * 1024

/** What the channels of a connection have in common. */
export interface ChannelTableSettings {
  readonly format: WireFormat
  readonly receiveWindow: number
  /** How long a peer may take to close a stream that this side has cut off, in ms, before it is reset. */
  readonly closeTimeoutMs: number
  /** How long an accepted stream may take to send its first frame, in ms. */
  readonly firstFrameTimeoutMs: number
  /** Bytes that all channels together may keep: from the peer and unread, or for the peer and not taken. Default: 256 MiB. */
  readonly maxConnectionBuffer?: number | undefined
  /** What the connection shares with others of its listener. Default: nothing. */
  readonly buffers?: BufferBudget | undefined
  /** Whose connection it is. Default: nobody counts. */
  readonly counters?: Counters | undefined
  /** Calls that a lane of the peer's may carry at a time; 0 for no lanes. Default: 0. */
  readonly maxLaneCalls?: number | undefined
}

/** A lane of the connection, the peer's or this side's own. */
export interface TableLane {
  /** Calls that are open on it. */
  readonly size: number
  /** Whether nothing of it has to be waited for. */
  readonly idle: boolean
  /** Bytes that it keeps now. */
  readonly kept: number
  /** Lets go of so many bytes at least, those of the largest messages first, and ends their calls with the error. */
  shed(bytes: number, error: LimitError): void
  /** Cuts off all its calls, and tells the peer why. */
  sever(errorHere: RpcError, errorThere: RpcError): void
  /** The stream is gone. */
  onClosed(error: RpcError): void
}

/** Whom a table tells. */
export interface ChannelTableObserver {
  /** An accepted channel can be handed out. */
  onAccepted?(channel: AcceptedChannel): void
  /** A channel is gone, and its place is free. */
  onGone(channel: AcceptedChannel): void
  /** The connection keeps more than it may, for a peer that does not even take that it is told so: it must go. */
  onStuck?(error: RpcError): void
}

/** The channels of one connection, from their opening until their streams are gone, and its lanes. */
export class ChannelTable implements ByteChannelOwner, ServerLaneObserver, BufferKeeper {
  readonly format: WireFormat
  readonly receiveWindow: number
  readonly #observer: ChannelTableObserver
  readonly #channels = new Set<ByteChannel>()
  readonly #stuck = new Set<ByteChannel>()
  readonly #lanes = new Set<TableLane>()
  #accepted: ServerLane | undefined = undefined
  readonly #draining = new Set<() => void>()

  // One timer for all channels, which counts: to arm one for each would cost every call for the sake of a few.
  readonly #tickMs: number
  readonly #closeTicks: number
  readonly #firstFrameTicks: number
  readonly #maxBuffer: number
  readonly #buffers: BufferBudget | undefined
  readonly #counters: Counters | undefined
  #counted: CountedConnection | undefined = undefined
  #kept = 0
  #shedding = false
  #gone = false
  #shedAt = Number.POSITIVE_INFINITY
  readonly #maxLaneCalls: number
  #tick = 0
  #ticker: NodeJS.Timeout | undefined = undefined

  constructor(settings: ChannelTableSettings, observer: ChannelTableObserver) {
    this.format = settings.format
    this.receiveWindow = settings.receiveWindow
    this.#observer = observer
    this.#tickMs = Math.min(settings.closeTimeoutMs, settings.firstFrameTimeoutMs) / 2
    this.#closeTicks = Math.ceil(settings.closeTimeoutMs / this.#tickMs) + 1
    this.#firstFrameTicks = Math.ceil(settings.firstFrameTimeoutMs / this.#tickMs) + 1
    this.#maxBuffer = settings.maxConnectionBuffer ?? DEFAULT_MAX_CONNECTION_BUFFER
    this.#buffers = settings.buffers
    this.#counters = settings.counters
    this.#maxLaneCalls = settings.maxLaneCalls ?? 0
    this.#buffers?.join(this)
  }

  /** The connection is made, and its peer known. Told once or more. */
  established(peer: Peer): void {
    this.#counted ??= this.#counters?.opened(peer)
  }

  /** Bytes that all channels keep. */
  get kept(): number {
    return this.#kept
  }

  /** How many channels there are, those on lanes among them. */
  get size(): number {
    let size = this.#channels.size
    for (const lane of this.#lanes) size += lane.size
    return size
  }

  /** How many of them have a stream of their own. */
  get streams(): number {
    return this.#channels.size
  }

  /** A channel that this side has opened. */
  addOpened(channel: ByteChannel): void {
    this.#channels.add(channel)
    this.#startTicking()
  }

  /** A lane that this side has opened. */
  addLane(lane: TableLane): void {
    this.#lanes.add(lane)
  }

  /** Asks the peer for no further channels. @returns Whether it can be asked. */
  goAway(): boolean {
    this.#accepted?.goAway()
    return this.#accepted !== undefined
  }

  /** A channel that the peer has opened, and for whose first frame it now has a limited time. */
  addAccepted(channel: ByteChannel): void {
    this.addOpened(channel)
    channel.expiresAt = this.#tick + this.#firstFrameTicks
  }

  onFirstFrame(channel: ByteChannel): void {
    channel.expiresAt = Number.MAX_SAFE_INTEGER
    this.#observer.onAccepted?.(channel)
  }

  onLane(channel: ByteChannel, stream: ByteStream, reader: FrameReader): ServerLane | undefined {
    if (this.#maxLaneCalls === 0 || this.#accepted !== undefined) return undefined
    this.#channels.delete(channel)
    const settings = { format: this.format, maxCalls: this.#maxLaneCalls }
    this.#accepted = new ServerLane(stream, reader, channel.peer, settings, this)
    this.#lanes.add(this.#accepted)
    return this.#accepted
  }

  onAccepted(channel: AcceptedChannel): void {
    this.#observer.onAccepted?.(channel)
  }

  onArriving(): number {
    this.#startTicking()
    return this.#tick + this.#firstFrameTicks
  }

  onCallOver(channel?: AcceptedChannel): void {
    if (channel !== undefined) this.#observer.onGone(channel)
    this.#hurryIfIdle()
  }

  onLaneGone(lane: TableLane): void {
    this.#lanes.delete(lane)
    if (this.#accepted === lane) this.#accepted = undefined
    this.#hurryIfIdle()
  }

  onReceived(bytes: number): void {
    this.#counted?.received(bytes)
  }

  onSent(bytes: number): void {
    this.#counted?.sent(bytes)
  }

  onRefused(error: unknown): void {
    if (this.#counted === undefined) this.#counters?.refused(error)
    else this.#counted.refused(error)
  }

  onKept(more: number): void {
    this.#kept += more
    this.#counted?.keeps(more)
    this.#buffers?.keeps(more)
    if (more <= 0 || this.#kept <= this.#maxBuffer || this.#shedding) return
    this.#shedding = true
    // Not in the middle of what the channel does that has kept too much.
    queueMicrotask(() => {
      this.#shedding = false
      this.#shedOwn()
    })
  }

  onCutOff(channel: ByteChannel): void {
    channel.expiresAt = this.#tick + this.#closeTicks
  }

  onGone(channel: ByteChannel): void {
    if (!this.#channels.delete(channel)) return
    this.#stuck.delete(channel)
    this.#observer.onGone(channel)
    this.#hurryIfIdle()
  }

  /**
   * Resolves when the last channel is gone and the peer has ended its lane, or when the time is over; sooner when `hurry`
   * is called.
   */
  async drain(graceMs: number): Promise<void> {
    if (this.#idle || graceMs <= 0) return
    let timer: NodeJS.Timeout | undefined
    let over!: () => void
    await new Promise<void>((resolve) => {
      over = resolve
      this.#draining.add(over)
      timer = setTimeout(over, Math.min(graceMs, LONGEST_TIMER_MS))
    })
    this.#draining.delete(over)
    clearTimeout(timer)
  }

  /** Ends the waiting of `drain`, so that a second close can shorten the grace of the first. */
  hurry(): void {
    for (const over of this.#draining) over()
    this.#draining.clear()
  }

  /**
   * Cuts off all channels and tells their peers why. A peer that reads nothing cannot be told: `drain` does not wait for
   * these.
   */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    for (const channel of this.#channels) {
      if (!channel.sever(errorHere, errorThere)) this.#stuck.add(channel)
    }
    for (const lane of this.#lanes) lane.sever(errorHere, errorThere)
  }

  /** The connection is gone, and all that is open on it. */
  lose(error: RpcError): void {
    for (const channel of this.#channels) channel.onClosed(error)
    for (const lane of this.#lanes) lane.onClosed(error)
    this.#stopTicking()
    this.#buffers?.keeps(-this.#kept)
    this.#buffers?.leave(this)
    this.#kept = 0
    if (this.#counted !== undefined) this.#counted.closed(error)
    else if (!this.#gone) this.#counters?.failed(error)
    this.#counted = undefined
    this.#gone = true
  }

  #onTick(): void {
    this.#tick++
    const lane = this.#accepted
    if (this.#channels.size === 0 && !lane?.arriving) this.#stopTicking()
    lane?.dropArriving(
      new LimitError('firstFrameTimeoutMs', 'deadline_exceeded', 'the request did not come in time'),
      this.#tick,
    )
    for (const channel of this.#channels) {
      if (channel.expiresAt <= this.#tick) channel.drop()
      // What a paused stream takes in meanwhile tells nobody.
      channel.countKept()
    }
    if (this.#tick < this.#shedAt + this.#closeTicks) return
    this.#shedAt = Number.POSITIVE_INFINITY
    // Where something can still be let go of, that comes first.
    if (this.#kept > this.#maxBuffer && !this.#shedding) this.#observer.onStuck?.(this.#overBudget())
  }

  /** Windows limit what one channel keeps; what all of them keep, its peer could grow with each that it opens. */
  shed(bytes: number, error: LimitError): void {
    this.#shedAt = Math.min(this.#shedAt, this.#tick)
    this.#startTicking()
    let left = bytes
    for (const lane of this.#lanes) {
      if (lane.kept <= this.#kept / 2) continue
      left -= lane.kept
      lane.shed(bytes, error)
    }
    for (const channel of [...this.#channels].sort((one, other) => other.kept - one.kept)) {
      if (left <= 0) return
      left -= channel.kept
      channel.shed(error)
    }
  }

  #shedOwn(): void {
    const over = this.#kept - this.#maxBuffer
    if (over > 0) this.shed(over, this.#overBudget())
  }

  #overBudget(): LimitError {
    return new LimitError(
      'maxConnectionBuffer',
      'resource_exhausted',
      `the connection keeps ${this.#kept} bytes that nobody has read; the limit is ${this.#maxBuffer} (maxConnectionBuffer)`,
    )
  }

  /** Whether nothing is left to wait for. */
  get #idle(): boolean {
    if (this.#channels.size !== this.#stuck.size) return false
    for (const lane of this.#lanes) if (!lane.idle) return false
    return true
  }

  #hurryIfIdle(): void {
    if (this.#draining.size > 0 && this.#idle) this.hurry()
  }

  #startTicking(): void {
    this.#ticker ??= setInterval(() => this.#onTick(), this.#tickMs).unref()
  }

  #stopTicking(): void {
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}
