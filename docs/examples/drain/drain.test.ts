import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { expect, test } from 'vitest'
import { Node } from './contract.ts'

const PAGES = 60

/** The server as its README starts it, and the lines that it prints. */
class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly exit: Promise<[code: number | null]>

  constructor() {
    const root = fileURLToPath(new URL('../../..', import.meta.url))
    this.#child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@qrpc/source', 'docs/examples/drain/serve.ts'],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TSX_TSCONFIG_PATH: 'docs/tsconfig.json' },
      },
    )
    this.exit = once(this.#child, 'exit') as Promise<[number | null]>
    if (this.#child.stdout === null) throw new Error('there is no output to read')
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the server has ended')
    return value
  }

  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exit
  }
}

test('a server that is told to end finishes its calls, takes no more, tells so, and exits with 0', async () => {
  await using program = new Program()
  const address = (await program.line()).replace('serving at ', '')
  await using connector = connectHttp2(address)
  const client = createClient(Node, connector)
  expect(await client.reports.count('three small words')).toBe(3)
  const watch = client.health.watch({})
  expect(await watch.receive()).toEqual({ status: 'serving' })
  const reports = Array.from({ length: 5 }, () => client.reports.render({ pages: PAGES }))
  for (const report of reports) expect(await report.receive()).toBe(`page 1 of ${PAGES}`)

  program.terminate()
  expect(await program.line()).toBe('draining')
  expect(await watch.receive()).toEqual({ status: 'not_serving' })
  expect(await watch.receive()).toBeUndefined()
  await using late = connectHttp2(address)
  await expect(createClient(Node, late).reports.count('too late')).rejects.toMatchObject({ code: 'unavailable' })
  for (const report of reports) {
    for (let page = 2; page <= PAGES; page++) expect(await report.receive()).toBe(`page ${page} of ${PAGES}`)
    expect(await report.receive()).toBeUndefined()
  }

  expect(await program.line()).toBe('drained')
  expect(await program.exit).toEqual([0, null])
}, 60_000)
