import { type Channel, type OpenOptions, type Peer, RpcError } from '@qrpc/core'
import type { ByteStream } from '../channel/byte-stream.ts'
import { OpenQueue } from '../connection/open-queue.ts'
import type { ControlItem } from '../control/control-item.ts'
import type { LimitError } from '../counters/limit-error.ts'
import type { TrafficObserver } from '../counters/traffic-observer.ts'
import type { WireFormat } from '../wire-format.ts'
import { GatheredMessage } from './gathered-message.ts'
import { type KeptMessage, Lane } from './lane.ts'
import { OpenedLaneChannel, type OpeningLane } from './opened-lane-channel.ts'

// Requests that may wait to be sent, in bytes, before further opens wait in line.
const MAX_UNSENT = 16 * 1024 * 1024

/** Whom a client's lane tells. */
export interface ClientLaneObserver {
  /** A call is over, and its place is free. */
  onCallOver(): void
  /** The server is about to close: it should get no further calls. */
  onGoingAway(): void
  /** The lane is gone; its calls have been told. Told once. */
  onLaneGone(): void
  /** Opens a channel for a call that waited for this lane while it was lost. */
  openElsewhere(options: OpenOptions | undefined): Channel | Promise<Channel>
}

/** A lane from the side that opens it and makes the calls. */
export class ClientLane extends Lane implements OpeningLane {
  readonly peer: Peer
  readonly #maxCalls: number
  readonly #observer: ClientLaneObserver
  // By number, until the server has said the last word, for cancelled ones, too.
  readonly #calls = new Map<number, OpenedLaneChannel>()
  // Opened, and without a request: the latest, which as a rule sends its own at once, and the others.
  #fresh: OpenedLaneChannel | undefined = undefined
  readonly #idle = new Set<OpenedLaneChannel>()
  readonly #waiting = new OpenQueue()
  #open = 0
  #next = 0
  #ended = false
  #lost: RpcError | undefined = undefined

  /** @param maxCalls Calls that the server takes at a time on the lane. */
  constructor(
    format: WireFormat,
    stream: ByteStream,
    peer: Peer,
    maxCalls: number,
    observer: ClientLaneObserver,
    traffic: TrafficObserver,
  ) {
    super(format, stream, format.createReader(), traffic)
    this.peer = peer
    this.#maxCalls = maxCalls
    this.#observer = observer
    stream.reader = this
    format.addLane(this.batch)
    this.flushLater()
  }

  /** Whether nothing of it has to be waited for. */
  get idle(): boolean {
    return this.#open === 0
  }

  /** Calls whose end is not known here, or not at the server. */
  get size(): number {
    return this.#open
  }

  /** Whether it carries such a call: one message each way, and a lane that is there. */
  carries(options: OpenOptions | undefined): boolean {
    return (options?.pattern === 'unary' || options?.pattern === 'notify') && this.#lost === undefined
  }

  /** Opens a channel for a call of one message each way: at once where there is room, else when it is its turn. */
  open(options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (this.#hasRoom()) return this.#openNow()
    return this.#waiting.wait(
      () => (this.#lost === undefined ? this.#openNow() : this.#observer.openElsewhere(options)),
      options?.signal,
    )
  }

  /** Refuses the opens that wait. */
  refuse(error: RpcError): void {
    this.#waiting.refuse(error)
  }

  /** Cuts off all calls and tells the server why. */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    for (const channel of this.#opened()) {
      const { call } = channel
      const told = channel.over
      channel.lost(errorHere)
      if (call < 0) this.dropped(channel)
      else if (!told) this.cancelled(channel, errorThere)
    }
  }

  shed(bytes: number, error: LimitError): void {
    const messages: KeptMessage[] = []
    for (const channel of this.#calls.values()) {
      const { gathered } = channel
      if (gathered === undefined || channel.over) continue
      messages.push({
        size: gathered.kept,
        drop: () => {
          channel.lost(error)
          this.cancelled(channel, error)
        },
      })
    }
    this.dropLargest(messages, bytes, error)
  }

  /** What this side asks for is its own affair. */
  protected get keptToSend(): number {
    return 0
  }

  /** Ends the lane: no call is open, and none will be. */
  end(): void {
    if (this.#ended || this.gone) return
    this.#ended = true
    this.sendLaneEnd(true)
  }

  request(channel: OpenedLaneChannel, message: unknown): void {
    if (this.#lost !== undefined) throw this.#lost
    const call = this.#next
    // The stream can be lost while the message leaves: the call must be known by then.
    this.#calls.set(call, channel)
    try {
      channel.cut = this.sendMessage(call, message, true)
    } catch (error) {
      this.#calls.delete(call)
      throw error
    }
    this.#next++
    channel.call = call
    if (this.#fresh === channel) this.#fresh = undefined
    else this.#idle.delete(channel)
  }

  cancelled(channel: OpenedLaneChannel, error: RpcError): void {
    if (channel.cut !== undefined) this.dropCut(channel.cut)
    this.sendSignal(channel.call, 'cancel', error)
  }

  dropped(channel: OpenedLaneChannel): void {
    if (this.#fresh === channel) this.#fresh = undefined
    else this.#idle.delete(channel)
    this.#callOver(channel)
  }

  refused(error: unknown): void {
    this.traffic.onRefused(error)
  }

  decode(payload: Uint8Array): unknown {
    if (payload.length > this.format.maxMessageSize) throw this.tooLarge(payload.length)
    return this.format.decodeMessage(payload)
  }

  protected onMessage(call: number, payload: Uint8Array): void {
    const channel = this.#known(call)
    if (channel.gathered !== undefined) throw begunBefore()
    this.#answered(channel, payload)
  }

  protected onStart(call: number, size: number): GatheredMessage {
    const channel = this.#known(call)
    if (channel.gathered !== undefined) throw begunBefore()
    const tooLarge = size > this.format.maxMessageSize
    const gathered = new GatheredMessage(size, tooLarge || channel.over, this.gathering)
    channel.gathered = gathered
    if (tooLarge && !channel.over) {
      const error = this.tooLarge(size)
      this.refused(error)
      channel.lost(error)
      this.cancelled(channel, error)
    }
    return gathered
  }

  protected gathered(call: number): GatheredMessage {
    const { gathered } = this.#known(call)
    if (gathered === undefined) throw new RpcError('invalid_argument', 'a piece of a response that has not begun')
    return gathered
  }

  protected onWhole(call: number, payload: Uint8Array): void {
    this.#answered(this.#known(call), payload)
  }

  protected onSignal(call: number, item: ControlItem): void {
    const channel = this.#known(call)
    if (item.kind === 'lane' || item.kind === 'stop') {
      throw new RpcError('invalid_argument', `a server's ${item.kind} for a call on a lane`)
    }
    this.#calls.delete(call)
    channel.gathered?.drop()
    channel.ending(item)
    this.#callOver(channel)
  }

  /** A server that cancels the stream before it has read that it is a lane does so as with any stream. */
  protected override isRefusal(call: number): boolean {
    return call >= this.#next
  }

  protected override onRefused(item: ControlItem): void {
    if (item.kind !== 'cancel') throw new RpcError('invalid_argument', `a ${item.kind} for a call that was not made`)
    const { error } = item
    this.onViolation(
      new RpcError('unavailable', `the server has not taken the lane: ${error.message}`, { cause: error }),
    )
  }

  protected onLaneEnd(): void {
    this.#observer.onGoingAway()
  }

  protected onPeerEnded(): void {
    if (this.#ended && this.#calls.size === 0) return
    this.onViolation(new RpcError('unavailable', 'the server ended the lane before it had answered its calls'))
  }

  protected onGone(error: RpcError): void {
    this.#lost = error
    for (const channel of this.#opened()) channel.lost(error)
    this.#calls.clear()
    this.#idle.clear()
    this.#fresh = undefined
    this.#open = 0
    this.#observer.onLaneGone()
    this.#waiting.admit(() => true)
  }

  protected onFlushed(): void {
    if (this.#waiting.size > 0) this.#waiting.admit(this.#hasRoom)
  }

  protected onCutSent(): void {}

  readonly #hasRoom = (): boolean => this.#open < this.#maxCalls && this.unsent < MAX_UNSENT && this.#lost === undefined

  #openNow(): OpenedLaneChannel {
    this.#open++
    const channel = new OpenedLaneChannel(this)
    if (this.#fresh !== undefined) this.#idle.add(this.#fresh)
    this.#fresh = channel
    return channel
  }

  #answered(channel: OpenedLaneChannel, payload: Uint8Array): void {
    this.#calls.delete(channel.call)
    channel.answered(payload)
    this.#callOver(channel)
  }

  #callOver(channel: OpenedLaneChannel): void {
    // A server that has answered needs nothing more of the request.
    if (channel.cut !== undefined) this.dropCut(channel.cut)
    this.#open--
    if (this.#waiting.size > 0) this.#waiting.admit(this.#hasRoom)
    this.#observer.onCallOver()
  }

  /** @throws RpcError `invalid_argument` for what nobody has asked for. */
  #known(call: number): OpenedLaneChannel {
    const channel = this.#calls.get(call)
    if (channel === undefined) throw new RpcError('invalid_argument', `nobody waits for a response to call ${call}`)
    return channel
  }

  #opened(): OpenedLaneChannel[] {
    const fresh = this.#fresh === undefined ? [] : [this.#fresh]
    return [...this.#calls.values(), ...this.#idle, ...fresh]
  }
}

function begunBefore(): RpcError {
  return new RpcError('invalid_argument', 'a response on a lane begins twice')
}
