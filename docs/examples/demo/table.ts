import Table from 'cli-table3'
import type { Tally } from './tally.ts'

/** A row a transport. */
export function table(tallies: readonly Tally[]): string {
  const rows = new Table({
    head: ['transport', 'calls', 'files', 'MB', 'MB/s', 'outages', 'cut off', 'ran twice', 'errors'],
    colAligns: ['left', ...Array.from({ length: 8 }, () => 'right' as const)],
    style: { head: [], border: [] },
  })
  for (const { transport, calls, files, bytes, elapsed, outages, cutOff, ranTwice, errors } of tallies) {
    const moved = [count(files), megabytes(bytes), megabytes(perSecond(bytes, elapsed))]
    rows.push([transport, count(calls), ...moved, ...[outages, cutOff, ranTwice, errors].map(count)])
  }
  return rows.toString()
}

/** A count for people: `1,234`. */
export function count(n: number): string {
  return n.toLocaleString('en')
}

/** Bytes for people, in MB: `12.3`. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

function perSecond(bytes: number, elapsed: number): number {
  return elapsed > 0 ? (bytes * 1_000) / elapsed : 0
}
