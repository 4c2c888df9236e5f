import { writeFileSync } from 'node:fs'
import { type FuzzReport, fuzz } from '../engine/fuzz.ts'
import type { Target } from '../engine/target.ts'
import type { Progress, Work } from './messages.ts'

const REPORT_EVERY_MS = 1000

/** Fuzzes a target for who has started this process. */
async function main({ module, target: name, seed, ms, current }: Work): Promise<void> {
  const { TARGETS } = (await import(module)) as { TARGETS: readonly Target[] }
  const target = TARGETS.find((one) => one.name === name)
  if (target === undefined) throw new Error(`there is no target ${name}`)
  let reported = 0
  const report = await fuzz(target, {
    seed,
    ms,
    onTry: (inputs) => writeFileSync(current, inputs.map(toHex).join('\n')),
    onRound: (so) => {
      const now = performance.now()
      if (now - reported < REPORT_EVERY_MS) return
      reported = now
      tell(so, false)
    },
  })
  tell(report, true)
  process.disconnect()
}

function tell({ executions, corpus, covered, findings }: FuzzReport, done: boolean): void {
  const progress: Progress = {
    done,
    executions,
    corpus,
    covered,
    findings: findings.map(({ what, input }) => ({ what, input: toHex(input) })),
  }
  process.send?.(progress)
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

process.once('message', (work) => void main(work as Work))
// All is said, or nobody is there any more to hear it.
process.once('disconnect', () => process.exit())
