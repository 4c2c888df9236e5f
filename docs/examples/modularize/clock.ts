import { EventEmitter, once } from 'node:events'
import { type Handlers, serverStreaming, service } from '@qrpc/core'

/** Another one, with a state that all its callers share. */
export const Clock = service('clock', {
  /** The tick that it is, and each one that follows. Who reads slowly misses some, and is never behind. */
  ticks: serverStreaming<void, number>(),
})

export class ClockState implements Disposable {
  readonly #events = new EventEmitter<{ tick: [] }>().setMaxListeners(0)
  readonly #timer: NodeJS.Timeout | undefined
  #tick = 0

  /** @param intervalMs Between two ticks. Default: it ticks by {@link tick} alone. */
  constructor(intervalMs?: number) {
    if (intervalMs !== undefined) this.#timer = setInterval(() => this.tick(), intervalMs)
  }

  /** What serves this clock. */
  get handlers(): Handlers<typeof Clock> {
    return { ticks: (_, { signal }) => this.#ticks(signal) }
  }

  tick(): void {
    this.#tick++
    this.#events.emit('tick')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  // No queue: what a caller has seen, and what there is by now.
  async *#ticks(signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    for (let seen = -1; ; ) {
      while (seen === this.#tick) await once(this.#events, 'tick', { signal })
      seen = this.#tick
      yield seen
    }
  }
}
