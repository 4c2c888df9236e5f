import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'
import { leftSince, openHandles } from '@qrpc/conformance/leftovers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { programsOf, writePrograms } from './programs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  // Of those that a page can import.
  ...readdirSync(join(root, 'docs/node_modules/@qrpc')).map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((page) => existsSync(join(root, page)))
const programs = pages.flatMap((page) => programsOf(page, readFileSync(join(root, page), 'utf8')))
const running = programs.filter(({ prints }) => prints !== undefined)

// Where the packages can be found as they are from an app.
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(root, 'docs/.blocks-'))
  writePrograms(directory, programs)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the code in the docs', () => {
  test('compiles, every block', () => {
    expect(programs.length).toBeGreaterThan(60)
    const tsc = join(root, 'node_modules/.bin/tsc')
    let found = ''
    try {
      execFileSync(tsc, ['-p', directory, '--pretty', 'false'], { cwd: directory, encoding: 'utf8', timeout: 100_000 })
    } catch (error) {
      found = (error as { stdout: string }).stdout
    }
    expect(found).toBe('')
  }, 110_000)

  test.each(running)('$name prints what the page says, and leaves nothing open', async ({ file, prints }) => {
    const before = openHandles()
    let printed = ''
    const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
      printed += `${format(...values)}\n`
    })
    try {
      await import(join(directory, file))
    } finally {
      log.mockRestore()
    }
    expect(printed).toBe(prints)
    expect(await leftSince(before)).toEqual([])
  })
})
