import type { Listener, Server } from '@qrpc/core'
import type { Tally } from './tally.ts'

/** A transport that can be taken away and brought back where it was. */
export interface Fragile {
  /** What its calls say that they are carried by. */
  readonly transport: string
  listen(): Promise<Listener>
}

// So many calls go by before something happens.
const CALLS = 200

/** Servers that are taken away by turns in the middle of their calls, and brought back once others have gone on without them. */
export class Outages implements AsyncDisposable {
  readonly #tally: Tally
  readonly #serve: (listener: Listener) => Server
  readonly #servers: Map<Fragile, Server>
  readonly #over = new AbortController()
  readonly #going: Promise<void>

  constructor(servers: Map<Fragile, Server>, serve: (listener: Listener) => Server, tally: Tally) {
    this.#servers = servers
    this.#serve = serve
    this.#tally = tally
    this.#going = this.#go()
    // It is awaited at the end.
    this.#going.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    try {
      await this.#going
    } finally {
      await Promise.all([...this.#servers.values()].map((server) => server.close({ graceMs: 0 })))
    }
  }

  async #go(): Promise<void> {
    for (;;) {
      for (const [fragile, server] of this.#servers) {
        const { transport } = fragile
        if (!(await this.#carried((by) => by === transport))) return
        await server.close({ graceMs: 0 })
        this.#tally.outages++
        if (!(await this.#carried((by) => by !== transport))) return
        this.#servers.set(fragile, this.#serve(await fragile.listen()))
      }
    }
  }

  /** Resolves once so many calls were carried that way: false when that will not happen any more. */
  #carried(how: (transport: string) => boolean): Promise<boolean> {
    const { signal } = this.#over
    if (signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (happened: boolean): void => {
        forget()
        signal.removeEventListener('abort', onAbort)
        resolve(happened)
      }
      const onAbort = (): void => settle(false)
      let left = CALLS
      const forget = this.#tally.onCarried((transport) => {
        if (how(transport) && --left === 0) settle(true)
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
