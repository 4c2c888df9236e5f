import { writeFile } from 'node:fs/promises'
import { casesOfFloors, standings } from './floors.ts'
import { checkFloors, describe } from './guard.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { plan, wanted, wantsSizes } from './plan.ts'
import { type Data, readData } from './report/data.ts'
import { thisMachine } from './report/machine.ts'
import { toJson, writeReport } from './report/page.ts'
import { floorTable, heading, resultTable, sizeTable } from './report/tables.ts'
import { type Case, messageOf } from './run/case.ts'
import { Progress } from './run/progress.ts'
import type { Result } from './run/result.ts'
import { measureSizes } from './sizes/sizes.ts'
import { estimateAll, runSuite } from './suite.ts'

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  // Ending takes the processes along that were started.
  process.on(signal, () => process.exit(code))
}

process.exit(await main())

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`)
    return 1
  }
  if (options.help) {
    console.log(USAGE)
    return 0
  }
  if (options.from.length > 0) {
    await write(options, await readData(options.from))
    return 0
  }
  const all = plan(options.selection)
  const cases = options.quick ? casesOfFloors(all) : all
  const sizes = !options.quick && wantsSizes(options.selection)
  if (cases.length === 0 && !sizes) {
    console.error('There is nothing like that to measure.')
    return 1
  }
  return run(options, cases, sizes)
}

async function run(options: Options, cases: readonly Case[], withSizes: boolean): Promise<number> {
  const { effort, check, selection } = options
  const machine = thisMachine()
  console.log(`Node.js ${machine.node}, ${machine.processors}, ${machine.system}`)
  const progress = new Progress(estimateAll(cases, effort))
  progress.say(`${cases.length} cases, about ${progress.left}`)
  const print = (measured: readonly Result[]): void => {
    progress.pause()
    if (measured[0] !== undefined) console.log(`\n${heading(measured[0])}\n\n${resultTable(measured)}`)
    progress.say(`about ${progress.left} left`)
  }
  const results = await runSuite(cases, effort, progress, print)
  progress.end()
  const sizes = withSizes ? await measureSizes((peer) => wanted(selection.peers, peer)) : []
  if (sizes.length > 0) console.log(`\nSizes\n\n${sizeTable(sizes)}`)
  const stand = standings(results)
  if (stand.length > 0) console.log(`\nFloors\n\n${floorTable(stand)}`)
  await write(options, { machine, results, sizes })
  const failures = results.filter((result) => 'failed' in result)
  for (const { workload, peer } of failures) console.error(`${workload}, ${peer}: it failed`)
  const missed = check ? await checkFloors(results, cases, effort) : []
  for (const standing of missed) console.error(`A floor is missed by far: ${describe(standing)}`)
  return failures.length > 0 || missed.length > 0 ? 1 : 0
}

async function write({ json, report }: Options, data: Data): Promise<void> {
  if (json !== undefined) await writeFile(json, toJson(data))
  if (report !== undefined) await writeReport(report, data)
}
