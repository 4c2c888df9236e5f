import { fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { FoundInput, Progress, Work } from './messages.ts'

const NOTHING: Progress = { done: false, executions: 0, corpus: 0, covered: 0, findings: [] }

/** How a target is watched. */
export interface SuperviseOptions extends Work {
  /** After how long without a word the process is stuck, in ms. */
  readonly silenceMs: number
  /** Whether nothing is heard of what the process prints as it fails. Default: false. */
  readonly quiet?: boolean
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Fuzzes a target in a process of its own, so that what ends a process, or keeps it busy for ever, is a finding, too.
 * @returns The last that it said, and what has become of it.
 */
export async function supervise({
  silenceMs,
  quiet = false,
  onProgress,
  ...work
}: SuperviseOptions): Promise<Progress> {
  const child = fork(new URL('fuzz-process.ts', import.meta.url), {
    execArgv: ['--conditions=@qrpc/source', '--expose-gc', '--import', 'tsx'],
    // What a native module says when it gives up is not for the eyes of who has started this.
    stdio: ['ignore', 'inherit', quiet ? 'ignore' : 'inherit', 'ipc'],
  })
  let last = NOTHING
  let silent = false
  let timer: NodeJS.Timeout | undefined
  const expectWord = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      silent = true
      child.kill('SIGKILL')
    }, silenceMs)
  }
  child.on('message', (progress) => {
    last = progress as Progress
    expectWord()
    onProgress?.(last)
  })
  child.send(work)
  expectWord()
  const how = await new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code === null ? `the signal ${signal}` : `the exit code ${code}`))
  })
  clearTimeout(timer)
  if (last.done) return last
  const what = silent ? `the process was stuck for ${silenceMs} ms` : `the process ended with ${how}`
  return { ...last, findings: [...last.findings, ...suspects(work.current, what)] }
}

/** The inputs that were being tried. */
function suspects(current: string, what: string): FoundInput[] {
  const inputs = existsSync(current) ? readFileSync(current, 'utf8').split('\n') : []
  if (inputs.length === 0) return [{ what, input: '' }]
  return inputs.map((input, n) => ({ what: `${what} (input ${n + 1} of ${inputs.length} at a time)`, input }))
}
