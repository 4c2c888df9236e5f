import { type Client, createClient, type Listener, RpcError, type Server, serve } from '@qrpc/core'
import type { NetworkConnector } from '@qrpc/transport-http2'
import { createHandlers, Tried } from './contract.ts'
import { expectThat } from './targets/refusal.ts'

const PATIENCE_MS = 15_000
const RETRY_AFTER_MS = 10

/** A server of {@link Tried} at a listener, which tells of what it should not see. */
export class GoodServer {
  readonly address: string
  readonly #server: Server
  readonly #running: () => number
  #unexpected: Error | undefined = undefined

  constructor(listener: Listener) {
    const { handlers, running } = createHandlers()
    this.address = listener.addresses[0] as string
    this.#running = running
    this.#server = serve(Tried, handlers, listener, {
      onError: (error) => {
        if (!(error instanceof RpcError))
          this.#unexpected ??= new Error('a server saw what is no RpcError', { cause: error })
      },
    })
  }

  /** @throws What was told `onError` that is no RpcError. */
  check(): void {
    const unexpected = this.#unexpected
    this.#unexpected = undefined
    if (unexpected !== undefined) throw unexpected
  }

  /** @throws Error where a handler goes on after its call. */
  async close(): Promise<void> {
    await this.#server.close({ graceMs: 0 })
    this.check()
    await new Promise(setImmediate)
    expectThat(this.#running() === 0, 'handlers run on though the server is closed')
  }
}

/** A client that behaves, on a connection of its own. */
export class GoodClient {
  readonly #connector: NetworkConnector
  readonly #client: Client<typeof Tried>
  #calls = 0

  constructor(connector: NetworkConnector) {
    this.#connector = connector
    this.#client = createClient(Tried, connector)
  }

  /** @throws Error where its call does not go well. */
  async goesOn(): Promise<void> {
    const call = ++this.#calls
    let answer: unknown
    try {
      answer = await this.#client.echo(call, { timeout: PATIENCE_MS })
    } catch (error) {
      throw new Error('a client that behaves cannot go on', { cause: error })
    }
    expectThat(answer === call, 'a client that behaves gets a wrong answer')
  }

  close(): Promise<void> {
    return this.#connector.close()
  }
}

/** @throws Error where no call goes well although the server at the address is a good one by now. */
export async function recovers(client: Client<typeof Tried>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      expectThat((await client.echo('good', { timeout: PATIENCE_MS })) === 'good', 'a good server gives a wrong answer')
      return
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      if (performance.now() > end) throw new Error('a connector does not recover', { cause: error })
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  }
}

/** Makes a call of each kind, at a time; they may fail as they like. @throws What no call may fail with. */
export async function callAll(client: Client<typeof Tried>, timeout: number): Promise<void> {
  const options = { timeout }
  const calls: Promise<unknown>[] = [
    client.echo({ a: [1, 'b'] }, options),
    client.echo(new Uint8Array(20_000), options),
    client.tell(null, options),
    client.sum(0, [1, 2], options),
    all(client.count(3, options)),
    all(client.talk(0, ['a', new Uint8Array(5000)], options)),
  ]
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === 'rejected' && !(outcome.reason instanceof RpcError)) throw outcome.reason
  }
}

async function all(responses: AsyncIterable<unknown>): Promise<void> {
  for await (const _response of responses);
}
