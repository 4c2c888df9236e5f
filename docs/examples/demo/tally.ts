import { type Interceptor, type Peer, RpcError } from '@qrpc/core'

const NUMBER = 'call-number'
const MOST_ATTEMPTS = 100

/** What a run over one transport comes to. */
export class Tally {
  readonly transport: string
  calls = 0
  /** Files that came back as they went in. */
  files = 0
  /** Bytes of content that were moved, either way. */
  bytes = 0
  /** How long that took, in ms. */
  elapsed = 0
  errors = 0
  /** How often a transport was taken away. */
  outages = 0
  /** Calls that were cut off by that, and made again. */
  cutOff = 0
  /** Calls that ran more than once. */
  ranTwice = 0
  /** How many calls each transport has carried. */
  readonly carried = new Map<string, number>()
  readonly #onCarried = new Set<(transport: string) => void>()
  readonly #ran = new Set<string>()
  #numbered = 0

  constructor(transport: string) {
    this.transport = transport
  }

  /** What each call of a client goes through. */
  readonly clientInterceptors: readonly Interceptor[] = [
    (call, next) => {
      this.calls++
      return next(call)
    },
    // Streams are made again by those who have what they send.
    (call, next) => (call.pattern === 'unary' ? this.attempt(() => next(call)) : next(call)),
    (call, next) => {
      call.metadata.set(NUMBER, String(++this.#numbered))
      const onPeer = (peer: Peer): void => {
        this.#carry(peer.transport)
        call.onPeer?.(peer)
      }
      return next({ ...call, onPeer })
    },
  ]

  /** What each call goes through at the server. */
  readonly serverInterceptors: readonly Interceptor[] = [
    (call, next) => {
      const number = String(call.metadata.get(NUMBER))
      if (this.#ran.has(number)) this.ranTwice++
      this.#ran.add(number)
      return next(call)
    },
  ]

  /**
   * Does the work again as long as it is cut off by an outage. That is for the caller to decide: this work may be done
   * twice, while a transport never sends a call twice.
   */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== 'unavailable') throw error
        if (this.outages === 0 || attempt === MOST_ATTEMPTS) throw error
        this.cutOff++
      }
    }
  }

  /** Tells of each call what carries it. @returns A function that ends that. */
  onCarried(callback: (transport: string) => void): () => void {
    this.#onCarried.add(callback)
    return () => this.#onCarried.delete(callback)
  }

  /** Takes note of something that went wrong; the run goes on. */
  fail(what: string, error?: unknown): void {
    this.errors++
    console.error(`${this.transport}: ${what}`, error ?? '')
  }

  #carry(transport: string): void {
    this.carried.set(transport, (this.carried.get(transport) ?? 0) + 1)
    for (const callback of this.#onCarried) callback(transport)
  }
}
