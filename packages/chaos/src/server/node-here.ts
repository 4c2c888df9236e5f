import { type Listener, type Server, serve } from '@qrpc/core'
import { Chaos } from '../contract.ts'
import type { Ledger } from '../ledger.ts'
import type { OpenChannels } from '../open-channels.ts'
import { chaosHandlers, chaosServing } from './handlers.ts'
import type { ServerNode } from './node.ts'

/** Listens where it did before, or anywhere the first time. */
export type Relisten = (address: string | undefined) => Promise<Listener>

/** A server in this process; killing it is closing it without grace. */
export class NodeHere implements ServerNode {
  readonly #relisten: Relisten
  readonly #ledger: Ledger
  readonly #channels: OpenChannels
  #server: Server | undefined = undefined
  #address: string | undefined = undefined

  constructor(relisten: Relisten, ledger: Ledger, channels: OpenChannels) {
    this.#relisten = relisten
    this.#ledger = ledger
    this.#channels = channels
  }

  get address(): string {
    return this.#address ?? ''
  }

  async start(): Promise<void> {
    const listener = this.#channels.watchListener(await this.#relisten(this.#address))
    this.#address ??= listener.addresses[0]
    const journal = this.#ledger.journal(this.address)
    this.#server = serve(Chaos, chaosHandlers(journal), listener, chaosServing(journal))
  }

  async stop(graceMs: number): Promise<void> {
    await this.#server?.close({ graceMs })
  }

  kill(): Promise<void> {
    return this.stop(0)
  }

  catchUp(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
