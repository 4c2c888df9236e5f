/** What nobody catches while it is there: exceptions and rejections. */
export class Unheard implements Disposable {
  readonly #thrown: unknown[] = []
  readonly #others = new Map<NodeJS.UncaughtExceptionListener | NodeJS.UnhandledRejectionListener, string>()

  constructor() {
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      // Those of a test runner would make a finding a failure of its own.
      for (const listener of process.listeners(event as 'uncaughtException')) this.#others.set(listener, event)
      process.removeAllListeners(event)
      process.on(event, this.#onThrown)
    }
  }

  /** What was thrown since it was last asked. */
  take(): unknown[] {
    return this.#thrown.splice(0)
  }

  [Symbol.dispose](): void {
    process.off('uncaughtException', this.#onThrown)
    process.off('unhandledRejection', this.#onThrown)
    for (const [listener, event] of this.#others) process.on(event, listener)
  }

  readonly #onThrown = (thrown: unknown): void => {
    this.#thrown.push(thrown)
  }
}
