import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readData } from '../src/report/data.ts'
import { bytes, number, time } from '../src/report/format.ts'
import { thisMachine } from '../src/report/machine.ts'
import { insert, toJson, writeReport } from '../src/report/page.ts'
import { resultTable } from '../src/report/tables.ts'
import { type Result, summary } from '../src/run/result.ts'

const ABOUT = { workload: 'download', title: 'Download', baseline: 'raw-http2' }
const RESULTS: readonly Result[] = [
  { ...ABOUT, peer: 'raw-http2', ...summary('MB/s', [900, 1000, 1100]), ratio: 1 },
  { ...ABOUT, peer: 'grpc-js', ...summary('MB/s', [90, 100, 110]), ratio: 0.1 },
  { ...ABOUT, peer: 'trpc-ws', cannot: 'no such streams' },
  { ...ABOUT, peer: 'raw-tcp', failed: 'no end after 120 s' },
]

test('a table says what could not be measured, and why', () => {
  const lines = resultTable(RESULTS)
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(lines[0]).toEqual(['', '', 'MB/s', 'lowest to highest', 'x raw node:http2', ''])
  expect(lines.slice(2).map((cells) => cells.slice(1, 5))).toEqual([
    ['raw node:http2', '1,000', '900 to 1,100', '1.00'],
    ['@grpc/grpc-js', '100', '90.0 to 110', '0.10'],
    ['tRPC over WebSocket', 'no such streams', '', ''],
    ['raw TCP with CBOR', 'failed: no end after 120 s', '', ''],
  ])
})

test('numbers have three digits that count', () => {
  expect([1234567, 98765, 123, 12.345, 1.2345, 0.012345, 0].map(number)).toEqual([
    '1,230,000',
    '98,800',
    '123',
    '12.3',
    '1.23',
    '0.012',
    '0',
  ])
  expect([12.34, 123456].map(time)).toEqual(['12.3 us', '123 ms'])
  expect([512, 2048, 3 * 1024 * 1024].map(bytes)).toEqual(['512 B', '2.00 KiB', '3.00 MiB'])
})

test('a report keeps what stands around it, and can be made again from its figures', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qrpc-report-'))
  try {
    const page = join(folder, 'benchmarks.md')
    const marks =
      '<!-- Made by `npm run bench -- --report docs`. What stands around it is kept. -->\n<!-- End of what is made. -->'
    await writeFile(page, `before\n${marks}\nafter\n`)
    const data = { machine: thisMachine(), results: RESULTS, sizes: [] }
    await writeReport(folder, data)
    const first = await readFile(page, 'utf8')
    expect(first.startsWith('before\n')).toBe(true)
    expect(first.endsWith('after\n')).toBe(true)
    expect(first).toContain('![Download](benchmarks/download.svg)')
    expect(await readFile(join(folder, 'benchmarks/download.svg'), 'utf8')).toContain('@grpc/grpc-js')
    await writeReport(folder, await readData([join(folder, 'benchmarks/results.json')]))
    expect(await readFile(page, 'utf8')).toBe(first)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('of several files the later ones count', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qrpc-report-'))
  try {
    const machine = thisMachine()
    const again: Result = { ...ABOUT, peer: 'raw-tcp', ...summary('MB/s', [5]) }
    await writeFile(join(folder, 'a.json'), toJson({ machine, results: RESULTS, sizes: [] }))
    await writeFile(join(folder, 'b.json'), toJson({ machine, results: [again], sizes: [] }))
    const { results } = await readData([join(folder, 'a.json'), join(folder, 'b.json')])
    expect(results).toEqual([...RESULTS.slice(0, 3), again])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a page without a place for the report is left alone', () => {
  expect(() => insert('# Benchmarks\n', 'text')).toThrow('no place for the report')
})
