// Runs tests on another release of Node.js: `npm run test:node -- 24`, or `-- 24 packages/core`.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { NODE_RELEASES, nodeOf } from './node-releases.mjs'

const [wanted, ...options] = process.argv.slice(2)
if (wanted === undefined || !/^\d+(\.\d+){0,2}$/.test(wanted)) {
  console.error('Which release of Node.js? npm run test:node -- 24')
  process.exit(2)
}
const release = NODE_RELEASES.find((each) => each.startsWith(`${wanted}.`)) ?? wanted
console.log(`Tests on Node.js ${release}`)
const [command, ...args] = nodeOf(release)
const { status } = spawnSync(command, [...args, 'node_modules/vitest/vitest.mjs', 'run', ...options], {
  cwd: resolve(import.meta.dirname, '..'),
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
process.exit(status ?? 1)
