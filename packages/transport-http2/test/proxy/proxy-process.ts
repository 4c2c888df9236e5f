import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why a proxy cannot be started here: `undefined` if it can. */
export function missing(command: string, versionFlag: string): string | undefined {
  const { error } = spawnSync(command, [versionFlag], { env: ENV })
  return error && `${command} is not installed here; scripts/install-proxies.sh does so, as root`
}

// Where Debian has them; it is not on everybody's path.
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
const STARTUP_MS = 5000

/** The command line of a proxy, and its files by name. */
export interface ProxyCommand {
  readonly command: string
  /** @param directory Where the files are. */
  readonly args: (directory: string) => readonly string[]
  /** By name; their texts may need to know where they are. */
  readonly files: (directory: string) => Readonly<Record<string, string>>
  /** Any port at which it listens. */
  readonly port: number
}

/** A proxy in a process of its own, with its files in a temporary directory. */
export class ProxyProcess implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'qrpc-proxy-'))
  readonly #command: ProxyCommand
  readonly #children = new Set<ChildProcess>()
  #output = ''

  constructor(command: ProxyCommand) {
    this.#command = command
    for (const [name, text] of Object.entries(command.files(this.directory))) {
      writeFileSync(join(this.directory, name), text, { mode: 0o600 })
    }
  }

  /** Resolves when it takes connections. @param more Further arguments. */
  async start(more: readonly string[] = []): Promise<void> {
    const { command, args, port } = this.#command
    // A process group, as some have workers, which outlive a master that is killed.
    const child = spawn(command, [...args(this.directory), ...more], { env: ENV, detached: true })
    const ended = once(child, 'exit')
    const forget = (): void => killGroup(child)
    process.once('exit', forget)
    this.#children.add(child)
    child.once('exit', () => {
      process.off('exit', forget)
      this.#children.delete(child)
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
    const failed = ended.then(() => Promise.reject(new Error(`${command} did not start: ${this.#output}`)))
    await Promise.race([connectable(port), failed])
    failed.catch(() => {})
  }

  /** The process that runs, if it is one. */
  get pid(): number | undefined {
    return [...this.#children].at(-1)?.pid
  }

  /** Resolves when one of its processes has ended by itself. */
  async ended(): Promise<void> {
    await Promise.race([...this.#children].map((child) => once(child, 'exit')))
  }

  /** Asks the process for something. */
  signal(signal: NodeJS.Signals): void {
    for (const child of this.#children) child.kill(signal)
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const ended = [...this.#children].map((child) => once(child, 'exit'))
    for (const child of this.#children) killGroup(child)
    await Promise.all(ended)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true })
  }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    // Gone already.
  }
}

/** There is no event for it. */
async function connectable(port: number): Promise<void> {
  for (const start = performance.now(); performance.now() - start < STARTUP_MS; ) {
    const socket = createConnection(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5))
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`nobody listens at port ${port} after ${STARTUP_MS} ms`)
}
