import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer } from './orders.ts'

/** How much of what a process said last is kept for its obituary. */
const LAST_WORDS = 2000

const running = new Set<ChildProcess>()
// However this process ends, short of SIGKILL, no other stays behind; after that they notice that it is gone.
process.on('exit', killAll)

/** Ends all processes that were started here. */
function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

export type ChildModule = 'client-process' | 'part-process' | 'proxy-process' | 'server-process'

/** A process that carries out orders, one at a time. */
export class Child<Order> implements Disposable {
  readonly #process: ChildProcess
  #lastWords = ''
  #settle: ((answer: Answer<unknown>) => void) | undefined = undefined
  #gone: string | undefined = undefined

  /**
   * @param module Its name beside this folder, without an extension.
   */
  constructor(module: ChildModule) {
    const built = import.meta.filename.endsWith('.js')
    const path = fileURLToPath(new URL(`../${module}.${built ? 'js' : 'ts'}`, import.meta.url))
    const fromSources = built ? [] : ['--conditions=@qrpc/source', '--import', 'tsx']
    const args = ['--expose-gc', ...fromSources, path]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    running.add(child)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#lastWords = (this.#lastWords + chunk.toString()).slice(-LAST_WORDS)
      })
    }
    child.on('message', (answer: Answer<unknown>) => this.#answer(answer))
    child.on('error', (error) => {
      this.#gone = error.message
      this.#answer({ error: this.#gone })
    })
    child.on('close', (code, signal) => {
      running.delete(child)
      this.#gone = `the process ended with ${signal ?? code}: ${this.#lastWords.trim()}`
      this.#answer({ error: this.#gone })
    })
    this.#process = child
  }

  /** @throws Error when it fails, when the process ends, or when no answer comes in time. */
  async tell<T>(order: Order, timeoutMs: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const answer = await new Promise<Answer<unknown>>((resolve) => {
      if (this.#gone !== undefined) return resolve({ error: this.#gone })
      this.#settle = resolve
      timer = setTimeout(() => {
        this.kill()
        resolve({ error: `no end after ${timeoutMs / 1000} s` })
      }, timeoutMs)
      this.#process.send(order as object)
    })
    clearTimeout(timer)
    if ('error' in answer) throw new Error(answer.error)
    return answer.value as T
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  [Symbol.dispose](): void {
    this.kill()
  }

  #answer(answer: Answer<unknown>): void {
    this.#settle?.(answer)
    this.#settle = undefined
  }
}
