import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { standings } from '../floors.ts'
import { isMeasured, type Result } from '../run/result.ts'
import { barChart, type Chart, chartName, conditionsChart } from './charts.ts'
import { casesOf, type Data } from './data.ts'
import { conditionsTable, floorTable, heading, overviewTable, resultTable, sizeTable } from './tables.ts'

const BEGIN = '<!-- Made by `npm run bench -- --report docs`. What stands around it is kept. -->'
const END = '<!-- End of what is made. -->'
const FOLDER = 'benchmarks'

/** Writes the report into `benchmarks.md` in the folder, with charts and figures in a folder beside it. */
export async function writeReport(folder: string, data: Data): Promise<void> {
  const page = join(folder, `${FOLDER}.md`)
  const { text, charts } = report(data)
  const around = await readFile(page, 'utf8')
  await mkdir(join(folder, FOLDER), { recursive: true })
  await Promise.all([
    ...charts.map(({ name, svg }) => writeFile(join(folder, FOLDER, `${name}.svg`), svg)),
    writeFile(join(folder, FOLDER, 'results.json'), toJson(data)),
    writeFile(page, insert(around, text)),
  ])
}

/** A line for each result: a file that can be compared with another. */
export function toJson({ machine, results, sizes }: Data): string {
  const lines = (items: readonly unknown[]): string => items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')
  const rest = `  "results": [\n${lines(results)}\n  ],\n  "sizes": [\n${lines(sizes)}\n  ]`
  return `{\n  "machine": ${JSON.stringify(machine)},\n${rest}\n}\n`
}

/** @throws Error for a page without the marks between which the report stands. */
export function insert(page: string, text: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`the page has no place for the report: between ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`
}

function report({ machine, results, sizes }: Data): { text: string; charts: Chart[] } {
  const { local, remote, parts, conditioned } = casesOf(results)
  const charts: Chart[] = []
  const image = (chart: Chart): string => {
    charts.push(chart)
    return `![${chart.title}](${FOLDER}/${chart.name}.svg)`
  }
  const withChart = (some: readonly Result[], level = '###'): string[] => {
    const [first] = some
    if (first === undefined) return []
    const drawn = some.some(isMeasured) ? [image(barChart(chartName(first), some))] : []
    return [`${level} ${heading(first)}`, ...drawn, resultTable(some)]
  }
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const sections = [
    '## Where and when',
    `${machine.date}, ${machine.processors}, ${machine.memoryGiB} GiB, ${machine.system}, Node.js ${machine.node}.`,
    `${versions.join(', ')}.`,
    '## At a glance',
    'Client and server are two processes on this machine. Medians; what a peer cannot do is a dash.',
    overviewTable(remote),
    '## The floors',
    floorTable(standings(results)),
    '## Between two processes',
    ...remote.flatMap((some) => withChart(some)),
    '## Within one process',
    ...local.flatMap((some) => withChart(some)),
  ]
  if (conditioned.length > 0)
    sections.push('## Under a network', `Over ${conditioned[0]?.[0]?.network ?? 'a network'}.`)
  for (const some of conditioned) {
    const [first] = some
    if (first === undefined) continue
    sections.push(
      `### ${first.title}`,
      image(conditionsChart(`${first.workload}-network`, some)),
      conditionsTable(some),
    )
  }
  if (sizes.length > 0) sections.push('## Sizes', sizeTable(sizes))
  if (parts.length > 0) sections.push('## What the parts cost')
  for (const some of parts) sections.push(`### ${some[0]?.title ?? ''}`, resultTable(some))
  return { text: sections.join('\n\n'), charts }
}
