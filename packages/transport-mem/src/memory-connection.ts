import {
  type ChannelPairOwner,
  type ChannelPairSettings,
  errorForPeer,
  type MemoryChannel,
  type OpenOptions,
  openPair,
  type Peer,
  RpcError,
} from '@qrpc/core'
import type { MemoryListener } from './memory-listener.ts'
import { openStrictPair, type StrictCodec, strictErrorForPeer } from './strict-channel.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The bounds of a connection, and what its messages go through. */
export interface ConnectionSettings {
  readonly window: number
  readonly maxConcurrentStreams: number
  readonly strict: StrictCodec | undefined
}

interface WaitingOpen {
  readonly resolve: (channel: MemoryChannel) => void
  readonly reject: (error: RpcError) => void
}

/** What a connector and a listener share: the channels that are open between them. */
export class MemoryConnection implements ChannelPairOwner {
  readonly #listener: MemoryListener
  readonly #limit: number
  readonly #settings: ChannelPairSettings
  readonly #strict: StrictCodec | undefined
  // Each opening end knows its place here, so that closing one costs no search.
  readonly #open: MemoryChannel[] = []
  readonly #waiting = new Set<WaitingOpen>()
  #closed: RpcError | undefined = undefined
  readonly #whenIdle = new Set<() => void>()

  constructor(listener: MemoryListener, address: string, settings: ConnectionSettings) {
    const { window, maxConcurrentStreams, strict } = settings
    this.#listener = listener
    this.#limit = maxConcurrentStreams
    this.#strict = strict
    const peer: Peer = { transport: 'mem', address }
    this.#settings = {
      window,
      openedPeer: peer,
      acceptedPeer: peer,
      errorForPeer: strict === undefined ? errorForPeer : strictErrorForPeer(strict),
      owner: this,
    }
  }

  /** Whether channels can be opened. */
  get usable(): boolean {
    return this.#closed === undefined && !this.#listener.closed
  }

  /** How many channels are open. */
  get size(): number {
    return this.#open.length
  }

  open(options: OpenOptions | undefined): MemoryChannel | Promise<MemoryChannel> {
    if (this.#open.length < this.#limit) return this.#openNow()
    return this.#openLater(options?.signal)
  }

  /** Refuses opens that wait or come. */
  refuse(error: RpcError): void {
    this.#closed ??= error
    for (const waiting of this.#waiting) waiting.reject(error)
    this.#waiting.clear()
  }

  /** Resolves when the last channel is closed, or when the time is over. */
  async drain(graceMs: number): Promise<void> {
    if (this.#open.length === 0 || graceMs <= 0) return
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#whenIdle.add(resolve)
      timer = setTimeout(resolve, Math.min(graceMs, LONGEST_TIMER_MS))
    })
    clearTimeout(timer)
  }

  /** Cuts off all channels. */
  sever(opened: RpcError, accepted: RpcError): void {
    // Each takes itself off the table.
    for (let channel = this.#open.at(-1); channel !== undefined; channel = this.#open.at(-1))
      channel.sever(opened, accepted)
  }

  onFirstMessage(accepted: MemoryChannel): void {
    this.#listener.announce(accepted)
  }

  onPairClosed(opened: MemoryChannel): void {
    const last = this.#open.pop() as MemoryChannel
    if (last !== opened) {
      this.#open[opened.slot] = last
      last.slot = opened.slot
    }
    this.#listener.forget(opened.other)
    if (this.#waiting.size > 0) this.#letIn()
    if (this.#open.length === 0 && this.#whenIdle.size > 0) this.#idle()
  }

  #openNow(): MemoryChannel {
    const channel = this.#strict === undefined ? openPair(this.#settings) : openStrictPair(this.#settings, this.#strict)
    channel.slot = this.#open.length
    this.#open.push(channel)
    return channel
  }

  #openLater(signal: AbortSignal | undefined): Promise<MemoryChannel> {
    if (signal?.aborted) return Promise.reject(abortError(signal))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiting)
        reject(abortError(signal as AbortSignal))
      }
      const waiting: WaitingOpen = {
        resolve: (channel) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(channel)
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
    })
  }

  #idle(): void {
    for (const resolve of this.#whenIdle) resolve()
    this.#whenIdle.clear()
  }

  #letIn(): void {
    for (const waiting of this.#waiting) {
      if (this.#open.length >= this.#limit) return
      this.#waiting.delete(waiting)
      waiting.resolve(this.#openNow())
    }
  }
}

function abortError(signal: AbortSignal): RpcError {
  if (signal.reason instanceof RpcError) return signal.reason
  return new RpcError('cancelled', 'the open was aborted while it waited', { cause: signal.reason })
}
