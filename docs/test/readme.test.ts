import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const docs = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(docs, '../README.md'), 'utf8')

test('the thirty lines of the README run as they stand', () => {
  const example = /## Thirty lines\n\n```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  // Where the packages can be found as they are from an app.
  const directory = mkdtempSync(join(docs, '.readme-'))
  try {
    writeFileSync(join(directory, 'example.ts'), example)
    const output = execFileSync(
      join(docs, '../node_modules/.bin/tsx'),
      ['--conditions=@qrpc/source', '--tsconfig', join(docs, 'tsconfig.json'), join(directory, 'example.ts')],
      { encoding: 'utf8', timeout: 15_000 },
    )
    expect(output.split('\n').filter(Boolean).map(Number)).toEqual([16, 6, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 42])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
