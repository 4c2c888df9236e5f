import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Finding, type FuzzReport, fuzz } from '../src/engine/fuzz.ts'
import type { Target } from '../src/engine/target.ts'
import { supervise } from '../src/run/supervise.ts'

// What of it runs is counted in full only where it is loaded last.
const { TARGETS } = await import('./planted.ts')

function fuzzPlanted(name: string, executions: number, relevant = isPlanted): Promise<FuzzReport> {
  const target = TARGETS.find((one) => one.name === name) as Target
  return fuzz(target, { seed: 1, executions, relevant, mostFindings: 1 })
}

function isPlanted(url: string): boolean {
  return url.endsWith('/planted.ts')
}

describe('a defect is found, and the least input that shows it:', () => {
  test('an exception behind five checks, by way of what inputs reach', { timeout: 60_000 }, async () => {
    const { findings, executions } = await fuzzPlanted('throwsTypeError', 60_000)
    expect(findings).toMatchObject([{ kind: expect.stringMatching(/^TypeError: .*is not a function/) }])
    expect(Buffer.from((findings[0] as Finding).input).toString('hex')).toMatch(/^7.a.5.b.6.$/)
    expect((await fuzzPlanted('throwsTypeError', executions, () => false)).findings).toEqual([])
  })

  test.each([
    ['takesLong', 1000, /^it takes too much CPU: more than 50 ms/],
    ['allocates', 1000, /^it takes too much memory: more than \d+ bytes/],
    ['loops', 5000, /^it blocks the process: Script execution timed out/],
    ['leavesRejection', 5000, /^nobody has caught this: Error: nobody listens/],
    ['throwsLater', 5000, /^nobody has caught this: Error: thrown in a callback/],
    ['neverSettles', 5000, /^it hangs: no result after 1000 ms/],
  ])('%s', { timeout: 60_000 }, async (name, executions, what) => {
    const { findings } = await fuzzPlanted(name, executions)
    expect(findings).toMatchObject([{ what: expect.stringMatching(what) }])
    expect((findings[0] as Finding).input[0]).toBeGreaterThan(0x1f)
  })

  test('the end of the process', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qrpc-fuzz-'))
    try {
      const { findings } = await supervise({
        module: new URL('planted.ts', import.meta.url).href,
        target: 'aborts',
        seed: 1,
        ms: 50_000,
        current: join(folder, 'current'),
        silenceMs: 50_000,
        quiet: true,
      })
      expect(findings.map(({ what }) => what)).toContain(
        'the process ended with the signal SIGABRT (input 1 of 16 at a time)',
      )
      expect(findings.filter(({ input }) => input.startsWith('ff'))).not.toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
