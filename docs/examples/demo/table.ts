import Table from 'cli-table3'
import type { Tally } from './tally.ts'

/** A row a transport. */
export function table(tallies: readonly Tally[]): string {
  const rows = new Table({
    head: ['transport', 'calls', 'files', 'MB', 'MB/s', 'errors'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  for (const { transport, calls, files, bytes, elapsed, errors } of tallies) {
    rows.push([transport, count(calls), count(files), megabytes(bytes), megabytes(perSecond(bytes, elapsed)), errors])
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
