const TICK_MS = 10

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

/**
 * A clock that stands still while the process does: on a machine that is overloaded a call is late by it only if there
 * were turns of the event loop enough to be on time.
 */
export class PatientClock implements Disposable {
  /** In ms since it was made. */
  now = 0
  readonly #alarms = new Set<Alarm>()
  readonly #timer: NodeJS.Timeout
  #last = performance.now()

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Runs the callback in so many ms. @returns What calls that off. */
  alarm(ms: number, ring: () => void): () => void {
    const alarm = { at: this.now + ms, ring }
    this.#alarms.add(alarm)
    return () => {
      this.#alarms.delete(alarm)
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.alarm(ms, resolve))
  }

  /** Whether the condition came to hold within so many ms. It is looked at with each tick. */
  async within(ms: number, condition: () => boolean): Promise<boolean> {
    for (const end = this.now + ms; !condition(); await this.sleep(0)) if (this.now >= end) return false
    return true
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#alarms.clear()
  }

  #tick(): void {
    const now = performance.now()
    this.now += Math.min(now - this.#last, 2 * TICK_MS)
    this.#last = now
    for (const alarm of this.#alarms) {
      if (alarm.at > this.now) continue
      this.#alarms.delete(alarm)
      alarm.ring()
    }
  }
}
