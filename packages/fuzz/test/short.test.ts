import { expect, test } from 'vitest'
import { type FuzzReport, fuzz } from '../src/engine/fuzz.ts'

// What of them runs is counted in full only where they are loaded last.
const { TARGETS } = await import('../src/targets/index.ts')

// A short form of `npm run fuzz`, which takes as long as it is given, and has any seed.
const SEED = 1
// Most of what seeds, and inputs that are much like them, have to show is seen by then.
const MS = 500

test.each(TARGETS)('$name', { timeout: 120_000 }, async (target) => {
  const report = await fuzz(target, { seed: SEED, ms: MS })
  expect(findingsOf(report)).toEqual([])
  expect(report.executions).toBeGreaterThan((await target.seeds()).length)
  expect(report.corpus).toBeGreaterThan(0)
})

/** What is wrong, and with which input. */
function findingsOf({ findings }: FuzzReport): string[] {
  return findings.map(({ what, input }) => `${what} (seed ${SEED}, input ${Buffer.from(input).toString('hex')})`)
}
