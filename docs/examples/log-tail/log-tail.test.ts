import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type Server, serve } from '@qrpc/core'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { type Open, TRANSPORTS } from '../transports.ts'
import { Logs } from './contract.ts'
import { LineSplitter } from './line-splitter.ts'
import { LogDirectory } from './log-directory.ts'
import { logHandlers } from './server.ts'

const PATIENT = { timeout: 15_000, interval: 10 }

async function start(open: Open, keep?: number) {
  const folder = await temporaryDirectory()
  const directory = new LogDirectory(folder.path, { intervalMs: 10, ...(keep !== undefined && { keep }) })
  const servers: Server[] = []
  const connect = await open((listener) => servers.push(serve(Logs, logHandlers(directory), listener)))
  const clients: AsyncDisposable[] = []
  return {
    directory,
    log: join(folder.path, 'app.log'),
    /** One with a connection of its own. */
    client() {
      const client = createClient(Logs, connect())
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
      await Promise.all(servers.map((server) => server.close({ graceMs: 0 })))
      await folder[Symbol.asyncDispose]()
    },
  }
}

const line = (text: string) => ({ kind: 'line', text })

test.each(TRANSPORTS)('the last lines, and then each that is added, over $transport', async ({ open }) => {
  await using bed = await start(open)
  await writeFile(bed.log, 'one\ntwo\nthree\n')
  using log = bed.client().follow({ file: 'app.log', last: 2 })
  expect(await log.receive()).toEqual(line('two'))
  expect(await log.receive()).toEqual(line('three'))
  await appendFile(bed.log, 'fo')
  await appendFile(bed.log, 'ur\nfive\n')
  expect(await log.receive()).toEqual(line('four'))
  expect(await log.receive()).toEqual(line('five'))
})

test.each(TRANSPORTS)(
  'it begins with a file that is empty, and with the end of a large one, over $transport',
  async ({ open }) => {
    await using bed = await start(open)
    await writeFile(bed.log, '')
    using log = bed.client().follow({ file: 'app.log' })
    await expect.poll(() => bed.directory.open, PATIENT).toEqual(['app.log'])
    await appendFile(bed.log, 'first\n')
    expect(await log.receive()).toEqual(line('first'))

    await writeFile(`${bed.log}.1`, Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join(''))
    using large = bed.client().follow({ file: 'app.log.1', last: 1 })
    expect(await large.receive()).toEqual(line('line 49999'))
  },
)

test.each(TRANSPORTS)('it survives rotation and truncation, over $transport', async ({ open }) => {
  await using bed = await start(open)
  await writeFile(bed.log, 'the first line\n')
  using log = bed.client().follow({ file: 'app.log' })
  expect(await log.receive()).toEqual(line('the first line'))

  // What is written before the rotation and not yet read is read, a line without an end included.
  await appendFile(bed.log, 'the second\nthe thi')
  await rename(bed.log, `${bed.log}.1`)
  await writeFile(bed.log, 'in a new file\n')
  for (const text of ['the second', 'the thi', 'in a new file']) expect(await log.receive()).toEqual(line(text))

  await truncate(bed.log)
  await appendFile(bed.log, 'cut\n')
  expect(await log.receive()).toEqual(line('cut'))

  await rm(bed.log)
  await writeFile(bed.log, 'made anew\n')
  expect(await log.receive()).toEqual(line('made anew'))
})

test.each(TRANSPORTS)(
  'one reader for all clients, which ends when the last one has left, over $transport',
  async ({ open }) => {
    await using bed = await start(open)
    await writeFile(bed.log, '')
    const connections = [bed.client(), bed.client()] as const
    const calls = Array.from({ length: 20 }, (_, i) => connections[i % 2 === 0 ? 0 : 1].follow({ file: 'app.log' }))
    await expect.poll(() => bed.directory.followers('app.log'), PATIENT).toBe(20)
    await appendFile(bed.log, 'for all\n')
    for (const call of calls) expect(await call.receive()).toEqual(line('for all'))
    expect(bed.directory.open).toEqual(['app.log'])

    const [first, ...others] = calls
    for (const call of others) call.cancel()
    await expect.poll(() => bed.directory.followers('app.log'), PATIENT).toBe(1)
    await appendFile(bed.log, 'for one\n')
    expect(await first?.receive()).toEqual(line('for one'))
    // The last one loses its connection.
    await connections[0][Symbol.asyncDispose]()
    await expect.poll(() => bed.directory.open, PATIENT).toEqual([])
  },
)

test.each(TRANSPORTS)(
  'one who reads slowly is told how much is skipped, and one who keeps up gets all, over $transport',
  async ({ open }) => {
    await using bed = await start(open, 100)
    await writeFile(bed.log, 'begin\n')
    using slow = bed.client().follow({ file: 'app.log' })
    using fast = bed.client().follow({ file: 'app.log' })
    for (const call of [slow, fast]) expect(await call.receive()).toEqual(line('begin'))

    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(200)}`)
    await appendFile(bed.log, lines.map((text) => `${text}\n`).join(''))
    const got: unknown[] = []
    while (got.length < lines.length) got.push(await fast.receive())
    expect(got).toEqual(lines.map(line))

    const received: unknown[] = []
    const expected: unknown[] = []
    let skipped = 0
    while (received.length + skipped < lines.length) {
      const item = await slow.receive()
      if (item?.kind === 'skipped') skipped += item.lines
      else {
        expected.push(line(lines[received.length + skipped] ?? ''))
        received.push(item)
      }
    }
    expect(received).toEqual(expected)
    expect(skipped).toBeGreaterThan(0)
  },
)

test.each(TRANSPORTS)('what is no log, over $transport', async ({ open }) => {
  await using bed = await start(open)
  const logs = bed.client()
  await expect(logs.follow({ file: 'other.log' }).started).rejects.toMatchObject({
    name: 'NotFound',
    code: 'not_found',
  })
  await expect(logs.follow({ file: '../../etc/passwd' }).started).rejects.toMatchObject({ code: 'invalid_argument' })
  await expect.poll(() => bed.directory.open, PATIENT).toEqual([])
})

test('lines that are cut anywhere, and one that is too long', () => {
  const splitter = new LineSplitter(8)
  const bytes = Buffer.from('grüße\n\nabcdefghij\nrest')
  const lines = [...bytes].flatMap((byte) => splitter.push(Uint8Array.of(byte)))
  expect([...lines, ...splitter.flush()]).toEqual(['grüße', '', 'abcdefgh', 'ij', 'rest'])
  expect(splitter.flush()).toEqual([])
})
