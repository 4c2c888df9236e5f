import { randomUUID } from 'node:crypto'
import { Job, type Work } from './job.ts'

/** What a queue is bounded by. */
export interface QueueLimits {
  /** Jobs that run at a time. Default: 2. */
  readonly running?: number
  /** Jobs that wait. Default: 100. */
  readonly waiting?: number
  /** Jobs that are over and can still be asked about; then the oldest ones are forgotten. Default: 1000. */
  readonly over?: number
}

/** Runs jobs, some at a time, in the order in which they came. */
export class JobQueue {
  readonly #limits: Required<QueueLimits>
  readonly #jobs = new Map<string, Job>()
  readonly #over: string[] = []
  readonly #waiting: { readonly id: string; readonly job: Job }[] = []
  #running = 0

  constructor({ running = 2, waiting = 100, over = 1000 }: QueueLimits = {}) {
    this.#limits = { running, waiting, over }
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes a job, or nothing where too many wait. */
  add(work: Work): { readonly id: string; readonly job: Job } | undefined {
    if (this.#running >= this.#limits.running && this.#waiting.length >= this.#limits.waiting) return undefined
    const added = { id: randomUUID(), job: new Job(work) }
    this.#jobs.set(added.id, added.job)
    this.#waiting.push(added)
    this.#next()
    return added
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id)
  }

  /** Cancels a job. One that waits makes room for another at once; one that runs, when its work has stopped. */
  cancel(id: string): void {
    this.#jobs.get(id)?.cancel()
    const place = this.#waiting.findIndex((waiting) => waiting.id === id)
    if (place === -1) return
    this.#waiting.splice(place, 1)
    this.#keep(id)
  }

  #next(): void {
    if (this.#running >= this.#limits.running) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#running++
    void next.job.run().then(() => {
      this.#running--
      this.#keep(next.id)
      this.#next()
    })
  }

  #keep(id: string): void {
    this.#over.push(id)
    const forgotten = this.#over.length > this.#limits.over ? this.#over.shift() : undefined
    if (forgotten !== undefined) this.#jobs.delete(forgotten)
  }
}
