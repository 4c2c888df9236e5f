import { type Listener, type Server, serve, service, unary } from '@qrpc/core'

/** Gives back what it is given. */
export const Counter = service('counter', {
  count: unary<number, number>(),
  /** Does so once the server is told to let go. */
  hold: unary<number, number>(),
})

/** A server that says which calls it runs, and holds some of them. */
export class CountingServer {
  readonly #server: Server
  #held: (() => void)[] = []

  /** @param onRun Told of each call as it starts. */
  constructor(listener: Listener, onRun: (n: number) => void) {
    const handlers = {
      count: async (n: number) => {
        onRun(n)
        // Some are still running when the next ones come.
        if (n % 3 === 0) await new Promise(setImmediate)
        return n
      },
      hold: async (n: number) => {
        onRun(n)
        await new Promise<void>((resolve) => this.#held.push(resolve))
        return n
      },
    }
    this.#server = serve(Counter, handlers, listener)
  }

  get addresses(): readonly string[] {
    return this.#server.addresses
  }

  release(): void {
    for (const resolve of this.#held.splice(0)) resolve()
  }

  /** Cuts off all calls. */
  async stop(): Promise<void> {
    await this.#server.close({ graceMs: 0 })
    this.release()
  }
}
