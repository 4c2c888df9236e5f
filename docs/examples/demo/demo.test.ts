import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { findFiles, type InputFile } from './input.ts'
import { parallel } from './parallel.ts'
import { run } from './run.ts'
import { table } from './table.ts'
import { Tally } from './tally.ts'
import { transports } from './transports.ts'

const EXAMPLES = fileURLToPath(new URL('..', import.meta.url))
const UNLIMITED = { files: 1_000, bytes: 1e9, fileBytes: 1e9 }

const CARRIED_BY: Readonly<Record<string, readonly string[]>> = {
  mem: ['mem'],
  http2: ['http2'],
  'http2 over TLS': ['http2'],
  quic: ['quic'],
  combined: ['http2', 'quic'],
}

beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})

afterEach(() => {
  vi.restoreAllMocks()
})

test.each(transports)('over $name everything comes back as it went in', async (transport) => {
  await using directory = await temporaryDirectory()
  const files = await findFiles(EXAMPLES)
  const tally = new Tally(transport.name)
  await run(transport, directory.path, files, tally, new AbortController().signal)
  expect(tally).toMatchObject({ files: files.length, errors: 0 })
  expect(tally.bytes).toBe(2 * files.reduce((total, { size }) => total + size, 0))
  expect(tally.calls).toBeGreaterThan(1_000 + 2 * files.length)
  expect(tally.ranTwice).toBe(0)
  expect([...tally.carried.keys()].toSorted()).toEqual(CARRIED_BY[transport.name])
  expect(tally.outages > 0).toBe(transport.name === 'combined')
})

test.each(transports)('over $name a file that is not what it should be is an error', async (transport) => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {})
  await using directory = await temporaryDirectory()
  const [first, ...others] = await findFiles(EXAMPLES)
  const files = [{ ...(first as InputFile), hash: 'f'.repeat(64) }, ...others]
  const tally = new Tally(transport.name)
  await run(transport, directory.path, files, tally, new AbortController().signal)
  expect(tally.files).toBe(others.length)
  expect(tally.errors).toBeGreaterThan(0)
  expect(complaints).toHaveBeenCalledTimes(tally.errors)
})

test.each(transports)('over $name an interruption ends the run', async (transport) => {
  await using directory = await temporaryDirectory()
  const controller = new AbortController()
  const files = await findFiles(EXAMPLES)
  const tally = new Tally(transport.name)
  const running = run(transport, directory.path, files, tally, controller.signal)
  while (tally.calls < 1_010) await new Promise(setImmediate)
  controller.abort()
  await expect(running).rejects.toThrow('aborted')
})

test('the input is in order, within its limits, and follows no links', async () => {
  await using directory = await temporaryDirectory()
  await using outside = await temporaryDirectory()
  await writeFile(join(outside.path, 'outside'), 'outside')
  await mkdir(join(directory.path, 'b'))
  await writeFile(join(directory.path, 'c'), 'ccc')
  await writeFile(join(directory.path, 'a'), 'a')
  await writeFile(join(directory.path, 'b', 'bb'), 'bb')
  await symlink(outside.path, join(directory.path, 'directory'))
  await symlink(join(outside.path, 'outside'), join(directory.path, 'file'))
  const found = async (limits = UNLIMITED): Promise<string[]> =>
    (await findFiles(directory.path, limits)).map(({ path }) => basename(path))
  expect(await found()).toEqual(['a', 'bb', 'c'])
  expect(await found({ ...UNLIMITED, files: 2 })).toEqual(['a', 'bb'])
  expect(await found({ ...UNLIMITED, fileBytes: 2 })).toEqual(['a', 'bb'])
  expect(await found({ ...UNLIMITED, bytes: 4 })).toEqual(['a', 'bb'])
  expect(await findFiles(join(directory.path, 'absent'))).toEqual([])
})

test('parallel works on all items, and on no more at a time than it may', async () => {
  const done: number[] = []
  let running = 0
  let most = 0
  await parallel([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    running--
    done.push(item)
  })
  expect(done).toEqual([1, 2, 3, 4, 5])
  expect(most).toBe(2)
})

test('the table has a row a transport', () => {
  const counts = { calls: 1_234, files: 5, bytes: 2_000_000, elapsed: 500, outages: 2, cutOff: 16 }
  const tally = Object.assign(new Tally('mem'), counts)
  const row = table([tally, new Tally('other')]).split('\n')
  expect(row[3]).toMatch(/mem.* 1,234 .* 5 .* 2\.0 .* 4\.0 .* 2 .* 16 .* 0 .* 0 /)
  expect(row[5]).toMatch(/other.* 0 .* 0 .* 0\.0 .* 0\.0 .* 0 .* 0 .* 0 .* 0 /)
})
