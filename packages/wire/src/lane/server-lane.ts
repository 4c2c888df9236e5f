import { type Peer, RpcError } from '@qrpc/core'
import type { ByteStream } from '../channel/byte-stream.ts'
import type { ControlItem, Signal } from '../control/control-item.ts'
import { LimitError } from '../counters/limit-error.ts'
import type { TrafficObserver } from '../counters/traffic-observer.ts'
import type { FrameReader } from '../frame/frame-reader.ts'
import type { WireFormat } from '../wire-format.ts'
import { AcceptedLaneChannel, type AcceptingLane } from './accepted-lane-channel.ts'
import { GatheredMessage } from './gathered-message.ts'
import { type KeptMessage, Lane } from './lane.ts'

/** What a server's lane needs to know. */
export interface ServerLaneSettings {
  readonly format: WireFormat
  /** Calls that a lane takes at a time. */
  readonly maxCalls: number
}

/** Whom a server's lane tells. */
export interface ServerLaneObserver extends TrafficObserver {
  onAccepted(channel: AcceptedLaneChannel): void
  /** A call is over, and all of its response is on its way. */
  onCallOver(channel: AcceptedLaneChannel | undefined): void
  /** A request begins of which pieces are to come. @returns When it must be whole, in ticks. */
  onArriving(): number
  /** The lane is gone. Told once. */
  onLaneGone(lane: ServerLane): void
}

/** A request that arrives in pieces. */
interface Arriving {
  readonly gathered: GatheredMessage
  /** In ticks of the observer's. */
  readonly expiresAt: number
}

/** A lane from the side that accepts it and answers the calls. */
export class ServerLane extends Lane implements AcceptingLane {
  readonly peer: Peer
  readonly #settings: ServerLaneSettings
  readonly #observer: ServerLaneObserver
  readonly #calls = new Map<number, AcceptedLaneChannel>()
  readonly #arriving = new Map<number, Arriving>()
  #next = 0
  #refusing: RpcError | undefined = undefined
  #peerDone = false
  #error: RpcError | undefined = undefined

  constructor(
    stream: ByteStream,
    reader: FrameReader,
    peer: Peer,
    settings: ServerLaneSettings,
    observer: ServerLaneObserver,
  ) {
    super(settings.format, stream, reader, observer)
    this.peer = peer
    this.#settings = settings
    this.#observer = observer
    stream.reader = this
  }

  /** Whether nothing of it has to be waited for: the client may still make calls until it has ended the lane. */
  get idle(): boolean {
    return this.gone
  }

  /** Whether requests have begun that are not whole. */
  get arriving(): boolean {
    return this.#arriving.size > 0
  }

  /** Calls that are not answered, or not to the last byte. */
  get size(): number {
    return this.#calls.size + this.#arriving.size
  }

  shed(bytes: number, error: LimitError): void {
    // What was answered counts for no limit of calls: a client could have small answers pile up without end.
    if (this.batch.size > this.kept / 2) {
      this.onViolation(error)
      return
    }
    const messages: KeptMessage[] = []
    for (const [call, { gathered }] of this.#arriving) {
      messages.push({ size: gathered.kept, drop: () => this.#dropArriving(call, gathered, error) })
    }
    for (const channel of this.#calls.values()) {
      if (channel.cut === undefined) continue
      messages.push({ size: channel.cut.left, drop: () => this.refuse(channel, 'cancel', error) })
    }
    this.dropLargest(messages, bytes, error)
  }

  protected get keptToSend(): number {
    return this.unsent
  }

  /** Asks the client for no further calls; those that come all the same are answered until `sever`. */
  goAway(): void {
    if (!this.gone && !this.#peerDone) this.sendLaneEnd(false)
  }

  /** Cuts off all calls, and those that are still to come, and tells the client why. */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    this.#refusing = errorThere
    for (const channel of this.#calls.values()) {
      if (channel.over) continue
      channel.lost(errorHere)
      this.refuse(channel, 'cancel', errorThere)
    }
    this.dropArriving(errorThere)
  }

  /** Gives up on the requests that have not arrived as a whole. */
  dropArriving(error: RpcError, until: number = Number.POSITIVE_INFINITY): void {
    for (const [call, { gathered, expiresAt }] of this.#arriving) {
      if (expiresAt > until) continue
      this.#observer.onRefused(error)
      this.#dropArriving(call, gathered, error)
    }
  }

  respond(channel: AcceptedLaneChannel, message: unknown): void {
    if (this.#error !== undefined) throw this.#error
    const cut = this.sendMessage(channel.call, message, false)
    if (cut === undefined || cut.left === 0) this.#over(channel)
    else channel.cut = cut
  }

  refuse(channel: AcceptedLaneChannel, kind: Signal, error: RpcError | undefined): void {
    if (this.#error !== undefined) return
    if (channel.cut !== undefined) this.dropCut(channel.cut)
    this.sendSignal(channel.call, kind, error)
    this.#over(channel)
  }

  check(message: unknown): void {
    this.format.addMessage(this.format.createBatch(), message)
  }

  protected onMessage(call: number, payload: Uint8Array): void {
    this.#begin(call)
    if (payload.length <= this.format.maxMessageSize) this.#accept(call, payload)
    else this.#refuseEarly(call, this.tooLarge(payload.length))
  }

  protected onStart(call: number, size: number): GatheredMessage | undefined {
    this.#begin(call)
    const refusal = size > this.format.maxMessageSize ? this.tooLarge(size) : this.#refusing
    if (refusal !== undefined) {
      this.#refuseEarly(call, refusal)
      return undefined
    }
    const gathered = new GatheredMessage(size, false, this.gathering)
    this.#arriving.set(call, { gathered, expiresAt: this.#observer.onArriving() })
    return gathered
  }

  protected onWhole(call: number, payload: Uint8Array): void {
    this.#arriving.delete(call)
    this.#accept(call, payload)
  }

  protected gathered(call: number): GatheredMessage | undefined {
    const arriving = this.#arriving.get(call)
    if (arriving !== undefined) return arriving.gathered
    // It was refused or cancelled while this was on its way.
    if (call < this.#next && !this.#calls.has(call)) return undefined
    throw new RpcError('invalid_argument', `a piece of the request of call ${call}, which has none to come`)
  }

  protected onSignal(call: number, item: ControlItem): void {
    if (item.kind !== 'cancel') throw new RpcError('invalid_argument', `a client's ${item.kind} for a call on a lane`)
    const channel = this.#calls.get(call)
    if (channel === undefined) {
      if (call >= this.#next) throw new RpcError('invalid_argument', `a cancel for call ${call}, which has not begun`)
      // It has crossed with the answer, unless there was nothing to answer yet.
      const arriving = this.#arriving.get(call)
      if (arriving === undefined) return
      this.#dropArriving(call, arriving.gathered, undefined)
      return
    }
    channel.lost(item.error)
    this.refuse(channel, 'cancel', undefined)
  }

  protected onLaneEnd(): void {
    this.#peerDone = true
    this.#finishIfDone()
  }

  protected onPeerEnded(): void {
    if (!this.#peerDone) {
      this.onViolation(new RpcError('unavailable', 'the client ended the lane without saying so'))
    }
  }

  protected onGone(error: RpcError): void {
    this.#error = error
    const channels = [...this.#calls.values()]
    this.#calls.clear()
    this.#arriving.clear()
    for (const channel of channels) {
      channel.lost(error)
      this.#observer.onCallOver(channel)
    }
    this.#observer.onLaneGone(this)
  }

  protected onFlushed(): void {}

  protected onCutSent(call: number): void {
    const channel = this.#calls.get(call)
    if (channel !== undefined) this.#over(channel)
  }

  /** @throws RpcError where the client does not keep to the order of numbers, or to the limit of calls. */
  #begin(call: number): void {
    if (call !== this.#next || this.#peerDone) {
      throw new RpcError('invalid_argument', `call ${call} on a lane where ${this.#next} is the next`)
    }
    if (this.size >= this.#settings.maxCalls) {
      throw new LimitError(
        'maxConcurrentStreams',
        'resource_exhausted',
        `more calls on a lane than the ${this.#settings.maxCalls} at a time`,
      )
    }
    this.#next++
  }

  #accept(call: number, payload: Uint8Array): void {
    if (this.#refusing !== undefined) {
      this.#refuseEarly(call, this.#refusing)
      return
    }
    let request: unknown
    try {
      request = this.format.decodeFirstOnLane(payload)
    } catch (error) {
      this.#refuseEarly(call, RpcError.from(error, 'internal'))
      return
    }
    const channel = new AcceptedLaneChannel(this, call, request)
    this.#calls.set(call, channel)
    this.#observer.onAccepted(channel)
  }

  /** Refuses a call that has no channel. */
  #refuseEarly(call: number, error: RpcError): void {
    this.#observer.onRefused(error)
    this.sendSignal(call, 'cancel', error)
    this.#finishIfDone()
  }

  /** Answers a call whose request will not be whole. */
  #dropArriving(call: number, gathered: GatheredMessage, error: RpcError | undefined): void {
    this.#arriving.delete(call)
    gathered.drop()
    this.sendSignal(call, 'cancel', error)
    this.#observer.onCallOver(undefined)
    this.#finishIfDone()
  }

  #over(channel: AcceptedLaneChannel): void {
    channel.cut = undefined
    if (!this.#calls.delete(channel.call)) return
    this.#observer.onCallOver(channel)
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    if (this.#peerDone && this.size === 0) this.finish()
  }
}
