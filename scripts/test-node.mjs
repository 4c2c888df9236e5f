// Runs tests on another release of Node.js: `npm run test:node -- 24`, or `-- 24 packages/core`.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const [version, ...args] = process.argv.slice(2)
if (version === undefined || !/^\d+(\.\d+){0,2}$/.test(version)) {
  console.error('Which release of Node.js? npm run test:node -- 24')
  process.exit(2)
}
const { status } = spawnSync(
  'npx',
  ['--yes', `--package=node@${version}`, '--', 'node', 'node_modules/vitest/vitest.mjs', 'run', ...args],
  { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' },
)
process.exit(status ?? 1)
