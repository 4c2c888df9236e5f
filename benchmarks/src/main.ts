import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { Effort, Result } from './measure.ts'
import { memoryWorkloads } from './mem/workloads.ts'

const USAGE = `npm run bench -- [options]
  --quick          fewer and shorter rounds
  --workload NAME  only this one: ${Object.keys(memoryWorkloads).join(', ')}
  --json FILE      writes the results there, too`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    workload: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
if (values.workload !== undefined && !Object.hasOwn(memoryWorkloads, values.workload)) {
  console.error(`There is no workload "${values.workload}".\n\n${USAGE}`)
  process.exit(1)
}

const effort: Effort = values.quick ? { rounds: 5, roundMs: 60 } : { rounds: 15, roundMs: 200 }
const run = promisify(execFile)
const results: Result[] = []
console.log(`Node.js ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`)
for (const key of values.workload === undefined ? Object.keys(memoryWorkloads) : [values.workload]) {
  const script = join(import.meta.dirname, 'run-workload.js')
  const { stdout } = await run(process.execPath, [script, key, JSON.stringify(effort)])
  const measured = JSON.parse(stdout) as Result[]
  results.push(...measured)
  console.log(`\n${table(measured)}`)
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`)

function table(rows: readonly Result[]): string {
  const lines = rows.map(({ name, rate, lowest, highest, ratio }) => {
    const spread = `${millions(lowest)} to ${millions(highest)}`
    return `| ${name.padEnd(30)} | ${millions(rate)} | ${spread} | ${ratio.toFixed(2)} |`
  })
  const head = `| ${(rows[0]?.workload ?? '').padEnd(30)} | M/s | lowest to highest | x baseline |`
  return [head, '| --- | --- | --- | --- |', ...lines].join('\n')
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2)
}
