// Installs the dependencies where they are missing or out of date. It runs before anything is installed, so it has
// nothing to work with but Node and npm.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

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

const wanted = read('pnpm-lock.yaml')
if (wanted === undefined || wanted !== read('node_modules/.pnpm/lock.yaml')) {
  const { packageManager } = JSON.parse(read('package.json'))
  console.log(`Installing the dependencies with ${packageManager} ...`)
  const { status } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, CI: 'true' },
  })
  if (status !== 0) {
    console.error(`The installation failed (exit code ${status}). Is the npm registry within reach?`)
    process.exit(1)
  }
}
