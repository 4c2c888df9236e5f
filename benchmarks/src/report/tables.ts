import { markdownTable } from 'markdown-table'
import type { Standing } from '../floors.ts'
import { describeConditions } from '../network/conditions.ts'
import { peers } from '../peers/index.ts'
import { isMeasured, type Measured, type Result } from '../run/result.ts'
import { bytes, number, time } from './format.ts'

/** How a table names a peer. */
function titleOf(peer: string): string {
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
