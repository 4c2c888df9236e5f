import { EventEmitter, once } from 'node:events'
import type { Status } from './contract.ts'

/** What a job does. It must stop when the signal aborts, and tells how far it is, from 0 to 1. */
export type Work = (signal: AbortSignal, progress: (fraction: number) => void) => Promise<number>

/** A job: its status, whoever wants to know it, and how to stop it. */
export class Job {
  readonly #work: Work
  readonly #controller = new AbortController()
  readonly #events = new EventEmitter<{ change: [] }>().setMaxListeners(0)
  #status: Status = { state: 'waiting' }

  constructor(work: Work) {
    this.#work = work
  }

  get over(): boolean {
    return this.#status.state !== 'waiting' && this.#status.state !== 'running'
  }

  cancel(): void {
    if (this.over) return
    this.#change({ state: 'cancelled' })
    this.#controller.abort()
  }

  /** Does the work, unless it was cancelled before. Never rejects: how it went is the status. */
  async run(): Promise<void> {
    if (this.over) return
    this.#change({ state: 'running', progress: 0 })
    try {
      const primes = await this.#work(this.#controller.signal, (progress) =>
        this.#change({ state: 'running', progress }),
      )
      this.#change({ state: 'done', primes })
    } catch {
      this.#change({ state: 'failed' })
    }
  }

  /**
   * The status now and each one that follows, until the job is over. There is no queue: who reads slowly gets what it is
   * by then, and the last one in any case.
   *
   * @throws AbortError when the signal aborts.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<Status, void, undefined> {
    for (let told: Status | undefined; ; ) {
      while (told === this.#status) await once(this.#events, 'change', { signal })
      told = this.#status
      yield told
      if (told === this.#status && this.over) return
    }
  }

  /** What a job says of itself after it was cancelled does not count. */
  #change(status: Status): void {
    if (this.over) return
    this.#status = status
    this.#events.emit('change')
  }
}
