import { RpcError } from '@qrpc/core'
import type { ByteChannel, ByteChannelOwner } from '../channel/byte-channel.ts'
import type { WireFormat } from '../wire-format.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1
const DEFAULT_MAX_UNREAD = 256 * 1024 * 1024

/** What the channels of a connection have in common. */
export interface ChannelTableSettings {
  readonly format: WireFormat
  readonly receiveWindow: number
  /** How long a peer may take to close a stream that this side has cut off, in ms, before it is reset. */
  readonly closeTimeoutMs: number
  /** How long an accepted stream may take to send its first frame, in ms. */
  readonly firstFrameTimeoutMs: number
  /** Bytes from the peer that all channels together may keep. Default: 256 MiB. */
  readonly maxUnread?: number | undefined
}

/** Whom a table tells. */
export interface ChannelTableObserver {
  /** An accepted channel can be handed out. */
  onAccepted?(channel: ByteChannel): void
  /** A channel is gone, and its place is free. */
  onGone(channel: ByteChannel): void
}

/** The channels of one connection, from their opening until their streams are gone. */
export class ChannelTable implements ByteChannelOwner {
  readonly format: WireFormat
  readonly receiveWindow: number
  readonly #observer: ChannelTableObserver
  readonly #channels = new Set<ByteChannel>()
  readonly #stuck = new Set<ByteChannel>()
  readonly #draining = new Set<() => void>()

  // One timer for all channels, which counts: to arm one for each would cost every call for the sake of a few.
  readonly #tickMs: number
  readonly #closeTicks: number
  readonly #firstFrameTicks: number
  readonly #maxUnread: number
  #tick = 0
  #ticker: NodeJS.Timeout | undefined = undefined

  constructor(settings: ChannelTableSettings, observer: ChannelTableObserver) {
    this.format = settings.format
    this.receiveWindow = settings.receiveWindow
    this.#observer = observer
    this.#tickMs = Math.min(settings.closeTimeoutMs, settings.firstFrameTimeoutMs) / 2
    this.#closeTicks = Math.ceil(settings.closeTimeoutMs / this.#tickMs) + 1
    this.#firstFrameTicks = Math.ceil(settings.firstFrameTimeoutMs / this.#tickMs) + 1
    this.#maxUnread = settings.maxUnread ?? DEFAULT_MAX_UNREAD
  }

  /** How many channels there are. */
  get size(): number {
    return this.#channels.size
  }

  /** A channel that this side has opened. */
  addOpened(channel: ByteChannel): void {
    this.#channels.add(channel)
    this.#ticker ??= setInterval(() => this.#onTick(), this.#tickMs).unref()
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

  onCutOff(channel: ByteChannel): void {
    channel.expiresAt = this.#tick + this.#closeTicks
  }

  onGone(channel: ByteChannel): void {
    if (!this.#channels.delete(channel)) return
    this.#stuck.delete(channel)
    this.#observer.onGone(channel)
    if (this.#channels.size === this.#stuck.size) this.hurry()
  }

  /** Resolves when the last channel is gone, or when the time is over; sooner when `hurry` is called. */
  async drain(graceMs: number): Promise<void> {
    if (this.#channels.size === this.#stuck.size || graceMs <= 0) return
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
  }

  /** The connection is gone, and all that is open on it. */
  lose(error: RpcError): void {
    for (const channel of this.#channels) channel.onClosed(error)
    this.#stopTicking()
  }

  #onTick(): void {
    this.#tick++
    if (this.#channels.size === 0) this.#stopTicking()
    let unread = 0
    for (const channel of this.#channels) {
      if (channel.expiresAt <= this.#tick) channel.drop()
      if (!channel.over) unread += channel.unread
    }
    if (unread > this.#maxUnread) this.#shed(unread)
  }

  /** Windows limit what one channel keeps; what all of them keep, its peer could grow with each that it opens. */
  #shed(unread: number): void {
    const error = new RpcError(
      'resource_exhausted',
      `the connection keeps ${unread} bytes that nobody has read; the limit is ${this.#maxUnread}`,
    )
    let left = unread
    for (const channel of [...this.#channels].sort((one, other) => other.unread - one.unread)) {
      if (left <= this.#maxUnread) return
      if (channel.over) continue
      left -= channel.unread
      channel.sever(error, error)
    }
  }

  #stopTicking(): void {
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}
