import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Data } from '../src/report/data.ts'
import { isMeasured } from '../src/run/result.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const FROM_SOURCES = ['--conditions=@qrpc/source', '--import', 'tsx']
// Processes start one after the other, which takes its time where others do so, too.
const WAIT = { timeout: 60_000, interval: 50 }
const TIMEOUT_MS = 150_000

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qrpc-bench-'))
})
afterEach(() => rm(folder, { recursive: true }))

function bench(...args: string[]): ChildProcess {
  return spawn(process.execPath, [...FROM_SOURCES, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}

test('measures the peers that were asked for and keeps the figures', async () => {
  const json = join(folder, 'results.json')
  const run = bench('--workload=sequential', '--peer=raw-http2', '--peer=qrpc-http2', '--quick', `--json=${json}`)
  const [output] = await Promise.all([textOf(run.stdout), once(run, 'exit')])
  expect(run.exitCode).toBe(0)
  expect(output).toContain('| qrpc http2 ')
  const { machine, results } = JSON.parse(await readFile(json, 'utf8')) as Data
  expect(machine.node).toBe(process.version)
  expect(results.map(({ peer }) => peer)).toEqual(['raw-http2', 'qrpc-http2'])
  for (const result of results) {
    if (!isMeasured(result)) throw new Error(`${result.peer} was not measured`)
    expect(result.rounds).toHaveLength(5)
    expect(result.lowest).toBeGreaterThan(0)
    expect(result.latency?.p50).toBeGreaterThan(0)
  }
})

test('says which names there are', async () => {
  const run = bench('--peer=nobody')
  const [errors] = await Promise.all([textOf(run.stderr), once(run, 'exit')])
  expect(run.exitCode).toBe(1)
  expect(errors).toContain('--peer nobody: give one of')
})

// An orphan would go on taking the machine's time from what is measured next.
describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', null],
] as const)('a run that is ended with %s', (signal, code) => {
  test('leaves no process behind', { timeout: TIMEOUT_MS }, async () => {
    const run = bench('--workload=sequential', '--peer=raw-http2', '--peer=grpc-js')
    const errors = textOf(run.stderr)
    const running = await vi.waitFor(async () => {
      const found = await descendants(run.pid ?? 0)
      if (found.length !== 4)
        throw new Error(`${found.length} processes run; ${run.exitCode === null ? '' : await errors}`)
      return found
    }, WAIT)
    const ended = once(run, 'exit')
    run.kill(signal)
    await ended
    expect(run.exitCode).toBe(code)
    await vi.waitFor(() => expect(running.filter(isAlive)).toEqual([]), WAIT)
  })
})

async function descendants(of: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
  const parents = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const children = (parent: number): number[] =>
    parents.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid, ...children(pid)] : []))
  return children(of)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
