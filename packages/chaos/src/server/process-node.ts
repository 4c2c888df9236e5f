import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Ledger } from '../ledger.ts'
import { type Place, portOf } from '../transports.ts'
import type { ServerNode } from './node.ts'
import type { Entry, NodeSettings } from './node-process.ts'

const READ_AT_A_TIME = 64 * 1024

/** A server in a process of its own, which is killed without a word to anybody. */
export class ProcessNode implements ServerNode {
  readonly #place: Place
  readonly #ledger: Ledger
  readonly #journal: string
  readonly #file: number
  #child: ChildProcess | undefined = undefined
  #address: string | undefined = undefined
  #rest = ''

  /** @param journal A file of its own, which need not exist. */
  constructor(place: Place, ledger: Ledger, journal: string) {
    this.#place = place
    this.#ledger = ledger
    this.#journal = journal
    this.#file = openSync(journal, 'a+')
  }

  get address(): string {
    return this.#address ?? ''
  }

  async start(): Promise<void> {
    const port = this.#address === undefined ? 0 : portOf(this.#address)
    const settings: NodeSettings = { place: { ...this.#place, port }, journal: this.#journal }
    const child = fork(new URL('./node-process.ts', import.meta.url), [JSON.stringify(settings)], {
      execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    })
    this.#child = child
    const [address] = (await once(child, 'message', { signal: AbortSignal.timeout(START_MS) })) as [string]
    this.#address ??= address
  }

  async stop(graceMs: number): Promise<void> {
    await this.#end((child) => child.send(graceMs))
  }

  async kill(): Promise<void> {
    await this.#end((child) => child.kill('SIGKILL'))
    this.#ledger.killed(this.address)
  }

  catchUp(): void {
    const journal = this.#ledger.journal(this.address)
    const buffer = Buffer.alloc(READ_AT_A_TIME)
    for (let read = readSync(this.#file, buffer); read > 0; read = readSync(this.#file, buffer)) {
      const lines = (this.#rest + buffer.toString('latin1', 0, read)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) {
        const [what, of] = JSON.parse(line) as Entry
        if (what === 'wrong') journal.wrong(of)
        else journal[what](of)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    closeSync(this.#file)
  }

  async #end(tell: (child: ChildProcess) => void): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      tell(child)
      await exited
    }
    this.catchUp()
  }
}

const START_MS = 30_000
