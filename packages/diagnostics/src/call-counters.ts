import { type CallObserver, type Code, type Interceptor, observeCalls } from '@qrpc/core'

/** The calls of one method. */
export interface MethodCounts {
  /** Calls that have started. */
  readonly started: number
  /** Calls that have started and not ended. */
  readonly running: number
  /** Calls that have ended, by how they went. */
  readonly ended: Readonly<Partial<Record<Code | 'ok', number>>>
  /** Updates that went by. */
  readonly updates: number
  /** Responses that went by. */
  readonly responses: number
}

/**
 * Counts the calls that go through its interceptor, by method and by how they went. It holds one entry a method of the
 * contract: what a peer asks for that is not there never gets so far.
 *
 * @example
 * ```ts
 * const counters = new CallCounters()
 * serve(Compute, handlers, listener, { interceptors: [counters.interceptor] })
 * console.log(counters.read())
 * ```
 */
export class CallCounters {
  /** For a client or a server; several may share the counters. */
  readonly interceptor: Interceptor = observeCalls(({ method }) => this.#entry(method).begin())
  readonly #methods = new Map<string, MethodEntry>()

  /** The counts as they are now, by the paths of the methods that were called. */
  read(): Readonly<Record<string, MethodCounts>> {
    return Object.fromEntries([...this.#methods].map(([method, entry]) => [method, entry.counts()]))
  }

  #entry(method: string): MethodEntry {
    const known = this.#methods.get(method)
    if (known !== undefined) return known
    const entry = new MethodEntry()
    this.#methods.set(method, entry)
    return entry
  }
}

class MethodEntry {
  #started = 0
  #running = 0
  #updates = 0
  #responses = 0
  readonly #ended = new Map<Code | 'ok', number>()

  begin(): CallObserver {
    this.#started++
    this.#running++
    return {
      onUpdate: () => {
        this.#updates++
      },
      onResponse: () => {
        this.#responses++
      },
      onEnd: (error) => {
        const code = error?.code ?? 'ok'
        this.#running--
        this.#ended.set(code, (this.#ended.get(code) ?? 0) + 1)
      },
    }
  }

  counts(): MethodCounts {
    return {
      started: this.#started,
      running: this.#running,
      ended: Object.fromEntries(this.#ended),
      updates: this.#updates,
      responses: this.#responses,
    }
  }
}
