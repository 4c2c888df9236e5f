import type { HealthReply, ServingStatus } from './contract.ts'

/** The stream of one watcher: the status now, then each one that differs from the last that was read. */
export class StatusWatch implements AsyncIterableIterator<HealthReply, undefined> {
  readonly #status: () => ServingStatus
  readonly #onOver: (watch: StatusWatch) => void
  #told: ServingStatus | undefined = undefined
  #ending = false
  #waiting: ((result: IteratorResult<HealthReply, undefined>) => void) | undefined = undefined

  constructor(status: () => ServingStatus, onOver: (watch: StatusWatch) => void) {
    this.#status = status
    this.#onOver = onOver
  }

  /** Looks whether there is something to tell. */
  update(): void {
    if (this.#waiting === undefined) return
    const result = this.#next()
    if (result === undefined) return
    this.#waiting(result)
    this.#waiting = undefined
  }

  /** Ends the stream after what there is to tell. */
  end(): void {
    this.#ending = true
    this.update()
  }

  next(): Promise<IteratorResult<HealthReply, undefined>> {
    const result = this.#next()
    if (result !== undefined) return Promise.resolve(result)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  return(): Promise<IteratorResult<HealthReply, undefined>> {
    this.#told = this.#status()
    this.end()
    this.#onOver(this)
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #next(): IteratorResult<HealthReply, undefined> | undefined {
    const status = this.#status()
    if (status !== this.#told) {
      this.#told = status
      return { value: { status }, done: false }
    }
    if (!this.#ending) return undefined
    this.#onOver(this)
    return { value: undefined, done: true }
  }
}
