import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Notice, Order, ProbeServerSettings, Report } from './probe.ts'

const MODULE = fileURLToPath(new URL('probe-server.ts', import.meta.url))

/** A server of the probe in a process of its own, always at the same port. */
export class ServerProcess implements AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly #settings: ProbeServerSettings
  readonly #onReport: (report: Report) => void
  #child: ChildProcess | undefined = undefined

  constructor(settings: ProbeServerSettings, onReport: (report: Report) => void) {
    this.#settings = settings
    this.#onReport = onReport
    this.name = settings.name
    this.port = settings.port
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(MODULE, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
      serialization: 'advanced',
    })
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ${this.name} ended with ${code}`)))
      child.on('message', (notice: Notice) => {
        if ('report' in notice) this.#onReport(notice.report)
        else resolve()
      })
      this.tell({ listen: this.#settings })
    })
  }

  tell(order: Order): void {
    this.#child?.send(order)
  }

  /** Asks it to end, as a supervisor does. Resolves with its exit code. */
  async terminate(): Promise<number | null> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) throw new Error(`the server ${this.name} does not run`)
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    return code
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
