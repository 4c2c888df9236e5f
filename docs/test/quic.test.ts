import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { codeBlock } from './markdown.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(docs, 'quic.md'), 'utf8')

test('the node of docs/quic.md runs as it stands, and exits by itself', () => {
  // Where the packages can be found as they are from an app.
  const directory = mkdtempSync(join(docs, '.quic-'))
  try {
    writeFileSync(join(directory, 'node.ts'), codeBlock(page, '## A node that listens and connects'))
    const output = execFileSync(
      join(docs, '../node_modules/.bin/tsx'),
      ['--conditions=@qrpc/source', '--tsconfig', join(docs, 'tsconfig.json'), join(directory, 'node.ts')],
      { encoding: 'utf8', timeout: 15_000 },
    )
    expect(output).toBe('Bob greets Alice\nAlice greets Bob\n')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
