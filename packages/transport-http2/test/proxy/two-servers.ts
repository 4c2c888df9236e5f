import { freePorts } from './free-ports.ts'
import type { ProbeServerSettings, Report } from './probe.ts'
import { ServerProcess } from './server-process.ts'

/** Two server processes for a proxy to choose from, and what their handlers report. */
export class TwoServers implements AsyncDisposable {
  readonly a: ServerProcess
  readonly b: ServerProcess
  readonly #reports: Report[] = []
  readonly #waiting = new Set<() => void>()

  private constructor(a: ProbeServerSettings, b: ProbeServerSettings) {
    this.a = new ServerProcess(a, this.#onReport)
    this.b = new ServerProcess(b, this.#onReport)
  }

  static async start(tls?: ProbeServerSettings['tls']): Promise<TwoServers> {
    const [portA, portB] = (await freePorts(2)) as [number, number]
    const servers = new TwoServers({ name: 'a', port: portA, tls }, { name: 'b', port: portB, tls })
    await Promise.all([servers.a.start(), servers.b.start()])
    return servers
  }

  named(name: string): ServerProcess {
    return name === 'a' ? this.a : this.b
  }

  /** The first report of the event under the key, when it comes. */
  async reported(event: Report['event'], key: string): Promise<Report> {
    for (;;) {
      const found = this.#reports.find((report) => report.event === event && report.key === key)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** How often the event was reported under the key so far. */
  count(event: Report['event'], key: string): number {
    return this.#reports.filter((report) => report.event === event && report.key === key).length
  }

  release(key: string): void {
    for (const server of [this.a, this.b]) server.tell({ release: key })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.a.kill(), this.b.kill()])
  }

  #onReport = (report: Report): void => {
    this.#reports.push(report)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
