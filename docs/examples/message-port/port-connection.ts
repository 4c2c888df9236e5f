import { once } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { type Peer, RpcError } from '@qrpc/core'
import type { Envelope, Frame } from './frame.ts'
import { PortChannel, type PortChannelOwner } from './port-channel.ts'

const PEER: Peer = { transport: 'port', address: 'port:' }

/** Whom a connection tells. */
export interface PortConnectionObserver {
  /** The listener has taken the port. */
  onReady?(): void
  /** The peer has opened a channel. */
  onChannel?(channel: PortChannel): void
  /** The listener wants no further channels. */
  onLeave?(): void
  onOver(channel: PortChannel): void
  /** The port is closed, on either side. Told once, last. */
  onClosed(): void
}

/** The channels that share a port. */
export class PortConnection implements PortChannelOwner {
  readonly #port: MessagePort
  readonly #observer: PortConnectionObserver
  readonly #channels = new Map<number, PortChannel>()
  readonly #whenIdle = new Set<() => void>()
  readonly #gone: Promise<unknown>
  // The last one opened, by this side or by the peer: only connectors open any.
  #last = -1
  // No further channels come.
  #quiet = false
  #closed = false

  constructor(port: MessagePort, observer: PortConnectionObserver) {
    this.#port = port
    this.#observer = observer
    this.#gone = once(port, 'close').then(() => this.#onClose())
    port.on('message', (envelope: Envelope) => this.#onEnvelope(envelope))
  }

  /** How many channels are open. */
  get size(): number {
    return this.#channels.size
  }

  /** Whether no further channels can be opened. */
  get over(): boolean {
    return this.#quiet || this.#closed
  }

  open(): PortChannel {
    const channel = new PortChannel(++this.#last, PEER, this, true)
    this.#channels.set(channel.id, channel)
    return channel
  }

  /** From a listener: that it has taken the port, or that no further channels should be opened. */
  tell(word: 'ready' | 'leave'): void {
    this.#port.postMessage(word satisfies Envelope)
  }

  /** From a connector: it opens no further channels. */
  leave(): void {
    this.#quiet = true
    this.#port.postMessage('leave' satisfies Envelope)
    this.#tellIdle()
  }

  /** Lets channels go on for some time, cuts off those that are left, and resolves when the port is closed. */
  async close(graceMs: number, errorHere: RpcError, errorThere: RpcError): Promise<void> {
    if (graceMs > 0) await this.#idle(graceMs)
    for (const channel of this.#channels.values()) channel.sever(errorHere, errorThere)
    this.#port.close()
    await this.#gone
  }

  post(channel: PortChannel, frame: Frame): void {
    this.#port.postMessage({ channel: channel.id, frame } satisfies Envelope)
  }

  onFirstFrame(channel: PortChannel): void {
    this.#observer.onChannel?.(channel)
  }

  onOver(channel: PortChannel): void {
    this.#channels.delete(channel.id)
    this.#observer.onOver(channel)
    this.#tellIdle()
  }

  /** Resolves when no channel is open and none can come, or when the time is over. */
  async #idle(graceMs: number): Promise<void> {
    if (this.#isIdle) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#whenIdle.add(resolve)
      timer = setTimeout(resolve, graceMs)
    })
    clearTimeout(timer)
  }

  get #isIdle(): boolean {
    return this.#closed || (this.#quiet && this.#channels.size === 0)
  }

  #tellIdle(): void {
    if (!this.#isIdle) return
    for (const resolve of this.#whenIdle) resolve()
    this.#whenIdle.clear()
  }

  #onEnvelope(envelope: Envelope): void {
    if (envelope === 'ready') this.#observer.onReady?.()
    else if (envelope === 'leave') this.#onLeave()
    else this.#channel(envelope.channel)?.onFrame(envelope.frame)
  }

  /** That of the frame: a new one where the peer has opened it, none where it is over on this side. */
  #channel(id: number): PortChannel | undefined {
    if (id <= this.#last) return this.#channels.get(id)
    this.#last = id
    const channel = new PortChannel(id, PEER, this, false)
    this.#channels.set(id, channel)
    return channel
  }

  /** A connector is asked to, a listener hears that its connector has done so. */
  #onLeave(): void {
    if (this.#observer.onLeave !== undefined) this.#observer.onLeave()
    else {
      this.#quiet = true
      this.#tellIdle()
    }
  }

  #onClose(): void {
    this.#closed = true
    const error = new RpcError('unavailable', 'the other side of the port is gone')
    for (const channel of this.#channels.values()) channel.lose(error, false)
    this.#observer.onClosed()
    this.#tellIdle()
  }
}
