import { stderr } from 'node:process'
import cliProgress from 'cli-progress'

/** Tells on stderr how far the suite is, and about how long it will still take. */
export class Progress {
  readonly #bar: cliProgress.SingleBar | undefined
  readonly #totalMs: number
  readonly #start = performance.now()
  #doneMs = 0

  /** @param totalMs What all steps were estimated at. */
  constructor(totalMs: number) {
    this.#totalMs = totalMs
    if (!stderr.isTTY) return
    this.#bar = new cliProgress.SingleBar({
      format: '{bar} {percentage} %, {left} left: {what}',
      stream: stderr,
      clearOnComplete: true,
      hideCursor: true,
      // The suite ends by its own way of ending.
      gracefulExit: false,
    })
    this.#bar.start(totalMs, 0, { left: this.left, what: '' })
  }

  /** About how long it still takes, going by how long it took so far. */
  get left(): string {
    const elapsed = performance.now() - this.#start
    const pace = this.#doneMs > 0 ? elapsed / this.#doneMs : 1
    const seconds = Math.max(0, Math.round(((this.#totalMs - this.#doneMs) * pace) / 1000))
    return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  }

  /** A step begins that was estimated at so much. */
  step(what: string, ms: number): void {
    this.#bar?.update(Math.min(this.#totalMs, this.#doneMs), { left: this.left, what })
    this.#doneMs += ms
  }

  /** A line for those who see no bar. */
  say(line: string): void {
    if (this.#bar === undefined) console.error(line)
  }

  /** Takes the bar away until the next step, so that something else can be printed. */
  pause(): void {
    if (this.#bar !== undefined) stderr.write('\r\u001b[2K')
  }

  end(): void {
    this.#bar?.stop()
  }
}
