import { errorForPeer, RpcError } from '../error.ts'
import type { Channel, ChannelObserver, Peer } from './channel.ts'
import { nextTurn } from './event-loop.ts'
import { addObserver, tellClosed } from './observers.ts'
import { ReceiveHalf } from './receive-half.ts'

/** Messages that a half takes before its sender waits, unless the pair says otherwise. */
export const DEFAULT_WINDOW = 64

// Two ends that feed each other through promises alone would keep timers and I/O out for good.
const MESSAGES_PER_TURN = 4096

/** Who keeps the books of channel pairs. */
export interface ChannelPairOwner {
  /** The opening side sent for the first time: the accepting side can be handed out. */
  onFirstMessage(accepted: MemoryChannel): void
  /** All four half ends are over. `opened` is the opening end: the one whose `slot` the owner set to 0 or more. */
  onPairClosed(opened: MemoryChannel): void
}

/** How two channels in memory are tied together. */
export interface ChannelPairOptions {
  /** Messages that each half takes before its sender waits. Default: 64. */
  readonly window?: number
  /** What the opening side sees as its peer. */
  readonly openedPeer?: Peer
  /** What the accepting side sees as its peer. */
  readonly acceptedPeer?: Peer
}

/** What the pairs of one owner have in common. */
export interface ChannelPairSettings {
  readonly window: number
  readonly openedPeer: Peer
  readonly acceptedPeer: Peer
  /** How an error of one side looks on the other. */
  readonly errorForPeer: (error: RpcError) => RpcError
  readonly owner: ChannelPairOwner | undefined
}

const LOCAL: Peer = { transport: 'mem', address: 'mem:' }

/** Two channels in one process whose messages pass by reference: what one sends, the other receives. */
export function createChannelPair<Out = unknown, In = unknown>(
  options: ChannelPairOptions = {},
): [opened: Channel<Out, In>, accepted: Channel<In, Out>] {
  const { window = DEFAULT_WINDOW, openedPeer = LOCAL, acceptedPeer = LOCAL } = options
  const opened = openPair({ window, openedPeer, acceptedPeer, errorForPeer, owner: undefined })
  return [opened as Channel<Out, In>, opened.other as Channel<In, Out>]
}

/** The opening end of a new pair, for owners that open many: nothing is made besides the two ends. */
export function openPair(settings: ChannelPairSettings): MemoryChannel {
  const opened = new MemoryChannel(settings, settings.openedPeer, settings.owner === undefined)
  const accepted = new MemoryChannel(settings, settings.acceptedPeer, true)
  opened.other = accepted
  accepted.other = opened
  return opened
}

/** One end of a channel pair. */
export class MemoryChannel<Out = unknown, In = unknown> extends ReceiveHalf<In> implements Channel<Out, In> {
  /** Settable, for a pair that stands in for a channel of another transport. */
  peer: Peer
  /** The end that receives what this one sends. */
  other: MemoryChannel<In, Out> = this as never
  /** The place of the pair in its owner's table, on the opening end; -1 on the other. */
  slot = -1

  /** Whether nothing can be sent any more. */
  protected sendOver = false
  private readonly settings: ChannelPairSettings
  private announced: boolean
  private sent = 0
  private stopped: RpcError | undefined = undefined
  private cutOff: RpcError | undefined = undefined
  private observer: ChannelObserver | undefined = undefined
  // Those that send to this end and wait until it was read.
  private room: Promise<void> | undefined = undefined
  private roomMade: (() => void) | undefined = undefined
  private roomLost: ((error: RpcError) => void) | undefined = undefined

  constructor(settings: ChannelPairSettings, peer: Peer, announced: boolean) {
    super()
    this.settings = settings
    this.peer = peer
    this.announced = announced
  }

  send(message: Out, last = false): Promise<void> | undefined {
    if (this.sendOver) throw this.notSending()
    const other = this.other
    other.deliver(message, last)
    if (last) {
      this.endSending()
      if (!this.announced) this.announce()
      return undefined
    }
    if (!this.announced) this.announce()
    if (other.buffered > this.settings.window) return other.waitForRoom()
    if (++this.sent % MESSAGES_PER_TURN === 0) return nextTurn()
    return undefined
  }

  trySend(message: Out): boolean {
    if (this.sendOver) throw this.notSending()
    if (this.other.buffered >= this.settings.window) return false
    this.other.deliver(message, false)
    if (!this.announced) this.announce()
    return true
  }

  end(error?: RpcError): void {
    if (this.sendOver) return
    this.other.finish(error && this.settings.errorForPeer(error))
    this.endSending()
    if (!this.announced) this.announce()
  }

  reset(error: RpcError): void {
    if (this.sendOver) return
    this.other.cut(this.settings.errorForPeer(error))
    this.endSending()
  }

  stop(error: RpcError): void {
    this.abort(error)
    this.loseRoom(error)
    const other = this.other
    if (other.sendOver) return
    const told = this.settings.errorForPeer(error)
    other.stopped = told
    other.endSending()
  }

  cancel(error: RpcError): void {
    // What the peer has not read yet is void, too, though it was ended cleanly.
    if (!this.other.sendOver) {
      const told = this.settings.errorForPeer(error)
      this.other.cutOff ??= told
      if (this.sendOver && !this.other.ended) this.other.cut(told)
    }
    this.reset(error)
    this.stop(error)
  }

  /** Cuts off both ends, as the loss of a connection does: each side sees its own error. */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    if (this.sendOver && this.other.sendOver) return
    this.lose(errorHere)
    this.other.lose(errorThere)
    this.endSending()
    this.other.endSending()
  }

  observe(observer: ChannelObserver): void {
    this.observer = addObserver(this.observer, observer)
    if (this.sendOver && this.other.sendOver) this.tell()
  }

  protected onRoom(buffered: number): void {
    if (this.room === undefined || buffered > this.settings.window >> 1) return
    const made = this.roomMade as () => void
    this.room = undefined
    made()
  }

  private tell(): void {
    const observers = this.observer
    this.observer = undefined
    tellClosed(observers, this.cutOff)
  }

  private announce(): void {
    this.announced = true
    this.settings.owner?.onFirstMessage(this.other)
  }

  private endSending(): void {
    if (this.sendOver) return
    this.sendOver = true
    if (!this.other.sendOver) return
    this.settings.owner?.onPairClosed(this.slot < 0 ? this.other : this)
    this.tell()
    this.other.tell()
  }

  /** The peer took back what it sent to this end. */
  private cut(error: RpcError): void {
    this.cutOff ??= error
    this.abort(error)
    this.loseRoom(error)
  }

  private lose(error: RpcError): void {
    this.cutOff ??= error
    if (!this.sendOver) this.stopped = error
    if (!this.finished) this.abort(error)
    this.loseRoom(error)
  }

  /** Why nothing can be sent any more. */
  protected notSending(): RpcError {
    return this.stopped ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
  }

  private waitForRoom(): Promise<void> {
    if (this.room === undefined) {
      this.room = new Promise((resolve, reject) => {
        this.roomMade = resolve
        this.roomLost = reject
      })
      this.room.catch(ignore)
    }
    return this.room
  }

  private loseRoom(error: RpcError): void {
    if (this.room === undefined) return
    const lost = this.roomLost as (error: RpcError) => void
    this.room = undefined
    lost(this.settings.errorForPeer(error))
  }
}

function ignore(): void {}
