import { markdownTable } from 'markdown-table'
import type { Standing } from '../floors.ts'
import { describeConditions } from '../network/conditions.ts'
import { peers } from '../peers/index.ts'
import { isMeasured, type Measured, type Result } from '../run/result.ts'
import type { Size } from '../sizes/sizes.ts'
import { bytes, number, time } from './format.ts'

/** How a table names a peer. */
export function titleOf(peer: string): string {
  return peers[peer]?.title ?? peer
}

/** One case's table: a row each peer. */
export function resultTable(results: readonly Result[]): string {
  const measured = results.filter(isMeasured)
  const timed = measured.some(({ latency }) => latency !== undefined)
  const weighed = measured.some(({ bytesEach }) => bytesEach !== undefined)
  const head = ['', measured[0]?.unit ?? '', 'lowest to highest', `x ${titleOf(results[0]?.baseline ?? '')}`]
  if (timed) head.push('p50', 'p99', 'p99.9')
  if (weighed) head.push('memory each: client', 'server')
  const rows = results.map((result) =>
    isMeasured(result)
      ? row(result, timed, weighed)
      : [titleOf(result.peer), whyNot(result), ...head.slice(2).map(() => '')],
  )
  return markdownTable([head, ...rows], { align: head.map((_, i) => (i === 0 ? 'l' : 'r')) })
}

/** Title and conditions of a case. */
export function heading({ title, conditions }: Result): string {
  return conditions === undefined ? title : `${title}: ${describeConditions(conditions)}`
}

/** Peers beside workloads, at a glance. */
export function overviewTable(cases: readonly (readonly Result[])[]): string {
  const rates = cases.filter((results) =>
    results.some((result) => isMeasured(result) && result.bytesEach === undefined),
  )
  const names = [...new Set(rates.flat().map(({ peer }) => peer))]
  const cell = (result: Result | undefined): string => {
    if (isMeasured(result)) return number(result.median)
    return result?.failed === undefined ? '-' : 'failed'
  }
  const head = ['', ...rates.map((results) => `${results[0]?.workload}, ${results.find(isMeasured)?.unit ?? ''}`)]
  const rows = names.map((name) => [
    titleOf(name),
    ...rates.map((results) => cell(results.find(({ peer }) => peer === name))),
  ])
  return markdownTable([head, ...rows], { align: head.map((_, i) => (i === 0 ? 'l' : 'r')) })
}

/** One workload under network conditions: a row for each of them. */
export function conditionsTable(results: readonly Result[]): string {
  const names = [...new Set(results.map(({ peer }) => peer))]
  const groups = [...new Set(results.map((result) => JSON.stringify(result.conditions)))]
  const cell = (result: Result | undefined): string => {
    if (result === undefined) return ''
    if (!isMeasured(result)) return whyNot(result)
    const p99 = result.latency === undefined ? '' : ` (${time(result.latency.p50)}, ${time(result.latency.p99)})`
    return `${number(result.median)}${p99}`
  }
  const timed = results.some((result) => isMeasured(result) && result.latency !== undefined)
  const unit = results.find(isMeasured)?.unit ?? ''
  const rows = groups.map((group) => {
    const some = results.filter((result) => JSON.stringify(result.conditions) === group)
    const conditions = some[0]?.conditions
    const label = conditions === undefined ? '' : describeConditions(conditions)
    return [label, ...names.map((name) => cell(some.find(({ peer }) => peer === name)))]
  })
  const head = [timed ? `${unit} (p50, p99)` : unit, ...names.map(titleOf)]
  return markdownTable([head, ...rows], { align: head.map((_, i) => (i === 0 ? 'l' : 'r')) })
}

/** What apps take. */
export function sizeTable(sizes: readonly Size[]): string {
  const rows = sizes.map(({ peer, minified, gzipped, bytes: installed, packages }) => [
    titleOf(peer),
    bytes(minified),
    bytes(gzipped),
    bytes(installed),
    String(packages),
  ])
  return markdownTable([['an app with', 'bundle, minified', 'and gzipped', 'installed', 'packages'], ...rows], {
    align: ['l', 'r', 'r', 'r', 'r'],
  })
}

/** How the floors stand. */
export function floorTable(standings: readonly Standing[]): string {
  const rows = standings.map(({ workload, peer, versus, atLeast, ratio }) => [
    workload,
    `${titleOf(peer)} / ${titleOf(versus)}`,
    String(atLeast),
    ratio === undefined ? 'not measured' : ratio.toFixed(2),
    ratio !== undefined && ratio >= atLeast ? 'yes' : 'no',
  ])
  return markdownTable([['workload', 'ratio of', 'at least', 'measured', 'reached'], ...rows], {
    align: ['l', 'l', 'r', 'r', 'l'],
  })
}

function row(result: Measured, timed: boolean, weighed: boolean): string[] {
  const { peer, median, lowest, highest, ratio, latency, bytesEach } = result
  const cells = [titleOf(peer), number(median), `${number(lowest)} to ${number(highest)}`, ratio?.toFixed(2) ?? '']
  if (timed)
    cells.push(...(latency === undefined ? ['', '', ''] : [time(latency.p50), time(latency.p99), time(latency.p999)]))
  if (weighed) cells.push(...(bytesEach === undefined ? ['', ''] : [bytes(bytesEach.client), bytes(bytesEach.server)]))
  return cells
}

/** What a cell says where there are no figures. */
function whyNot(result: Exclude<Result, Measured>): string {
  return result.cannot ?? `failed: ${result.failed ?? 'nobody knows why'}`.replaceAll(/\s+/g, ' ').slice(0, 120)
}
