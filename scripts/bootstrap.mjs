// Installs the dependencies where they are missing or out of date. It runs before anything is installed, so it has
// nothing to work with but Node and npm.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const read = (path) => {
  try {
    return readFileSync(resolve(root, path), 'utf8')
  } catch {
    return undefined
  }
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`qrpc needs Node.js 20.19 or later; this is ${process.versions.node}.`)
  process.exit(1)
}

const options = process.argv.slice(2)
const wanted = read('pnpm-lock.yaml')
if (options.length > 0 || wanted === undefined || wanted !== read('node_modules/.pnpm/lock.yaml')) {
  const { packageManager } = JSON.parse(read('package.json'))
  console.log(`Installing the dependencies with ${packageManager} ...`)
  // Beside the workspace npx would take the pnpm in node_modules, which deletes itself halfway when it has to recreate
  // that folder; under `npm test` the variable leads it there from anywhere.
  const { npm_config_local_prefix: _, ...env } = process.env
  const outside = mkdtempSync(join(tmpdir(), 'qrpc-bootstrap-'))
  const { status } = spawnSync(
    'npx',
    ['--yes', packageManager, '--dir', root, 'install', '--frozen-lockfile', '--reporter=append-only', ...options],
    {
      cwd: outside,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
      env: { ...env, CI: 'true' },
    },
  )
  rmSync(outside, { recursive: true, force: true })
  if (status !== 0) {
    console.error(`The installation failed (exit code ${status}). Is the npm registry within reach?`)
    process.exit(1)
  }
}
