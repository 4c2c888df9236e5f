import { Presets, SingleBar } from 'cli-progress'

/** Shows how far a phase is: a bar on a terminal. Either way a plain line stays when it is done. */
export class Progress implements Disposable {
  readonly #label: string
  readonly #bar: SingleBar
  readonly #stream: NodeJS.WriteStream

  constructor(label: string, total = 1, stream: NodeJS.WriteStream = process.stdout) {
    this.#label = label.padEnd(24)
    this.#stream = stream
    this.#bar = new SingleBar(
      // A bar draws nothing where its stream is no terminal.
      { format: `${this.#label} {bar} {value}/{total}`, stream, clearOnComplete: true, gracefulExit: false },
      Presets.shades_classic,
    )
    this.#bar.start(total, 0)
  }

  step(): void {
    this.#bar.increment()
  }

  /** Replaces the bar with a line on what was done. */
  done(summary: string): void {
    this.#bar.stop()
    this.#stream.write(`${this.#label} ${summary}\n`)
  }

  /** Gives the terminal its cursor back when the phase failed. */
  [Symbol.dispose](): void {
    this.#bar.stop()
  }
}
