import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = readdirSync(`${root}/docs/examples`).filter((name) =>
  existsSync(`${root}/docs/examples/${name}/main.ts`),
)

// In a process of its own: an example that leaves something open, and so never exits, fails.
test.each(examples)(
  'example %s runs and exits by itself',
  (name) => {
    const output = execFileSync(
      `${root}/node_modules/.bin/tsx`,
      ['--conditions=@qrpc/source', '--tsconfig', 'docs/tsconfig.json', `docs/examples/${name}/main.ts`],
      { cwd: root, encoding: 'utf8', timeout: 150_000 },
    )
    expect(output).not.toBe('')
  },
  160_000,
)
