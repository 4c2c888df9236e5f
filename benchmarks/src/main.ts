import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { Effort, Result } from './measure.ts'
import { groups, workloads } from './workloads.ts'

const USAGE = `npm run bench -- [options]
  --quick          fewer and shorter rounds
  --workload NAME  only this one, or this group: ${described()}
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
const keys = chosen(values.workload)
if (keys === undefined) {
  console.error(`There is no workload "${values.workload}".\n\n${USAGE}`)
  process.exit(1)
}

const effort: Effort = values.quick ? { rounds: 5, roundMs: 60 } : { rounds: 15, roundMs: 200 }
const run = promisify(execFile)
const results: Result[] = []
console.log(`Node.js ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`)
for (const key of keys) {
  const script = join(import.meta.dirname, 'run-workload.js')
  const { stdout } = await run(process.execPath, [script, key, JSON.stringify(effort)])
  const measured = JSON.parse(stdout) as Result[]
  results.push(...measured)
  console.log(`\n${table(measured)}`)
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`)

function chosen(name: string | undefined): readonly string[] | undefined {
  if (name === undefined) return Object.keys(workloads)
  if (Object.hasOwn(groups, name)) return groups[name]
  return Object.hasOwn(workloads, name) ? [name] : undefined
}

function described(): string {
  return Object.entries(groups)
    .map(([group, members]) => `${group} (${members.join(', ')})`)
    .join(', ')
}

function table(rows: readonly Result[]): string {
  const lines = rows.map(({ name, rate, lowest, highest, ratio }) => {
    const spread = `${millions(lowest)} to ${millions(highest)}`
    return `| ${name.padEnd(30)} | ${millions(rate)} | ${spread} | ${nanoseconds(rate)} | ${ratio.toFixed(2)} |`
  })
  const head = `| ${(rows[0]?.workload ?? '').padEnd(30)} | M/s | lowest to highest | ns each | x baseline |`
  return [head, '| --- | --- | --- | --- | --- |', ...lines].join('\n')
}

function nanoseconds(rate: number): string {
  const each = 1e9 / rate
  return each.toFixed(each < 100 ? 1 : 0)
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2)
}
