import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A program of this repository in a process of its own. Its input ends when this process does, which tells it to end. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #lines: AsyncIterator<string>

  /** @param env Variables for it besides those of this process. */
  constructor(program: URL, env: Readonly<Record<string, string>> = {}) {
    const runTypeScript = ['--import', 'tsx', '--conditions=@qrpc/source']
    this.#child = spawn(process.execPath, [...runTypeScript, fileURLToPath(program)], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TSX_TSCONFIG_PATH: 'docs/tsconfig.json', ...env },
    })
    this.#exit = once(this.#child, 'exit')
    if (this.#child.stdout === null) throw new Error('there is no output to read')
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  /** The next line that it prints. @throws Error when it has ended. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the program has ended')
    return value
  }

  /** Tells it to end, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    await this.#exit
  }
}
