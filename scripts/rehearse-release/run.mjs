import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** The path of a program that the workspace has installed. */
export const bin = (name) => join(root, 'node_modules/.bin', name)

// `npm run` says where its package is, and npm and pnpm would go there from anywhere.
const { npm_config_local_prefix: _, ...outer } = process.env
// In a workspace pnpm installs what it misses before it runs a script.
const env = { ...outer, npm_config_verify_deps_before_run: 'false' }

/**
 * Runs a program to its end and gives what it printed to `stdout`.
 *
 * @throws Error with all that it printed, when it fails or takes longer than `timeoutMs` (default: 240,000).
 */
export function run(command, args, { cwd, timeoutMs = 240_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      timeout: timeoutMs,
    })
    const printed = { stdout: '', all: '' }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed.stdout += text
      printed.all += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      printed.all += text
    })
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (status === 0) resolve(printed.stdout)
      else reject(new Error(`${[command, ...args].join(' ')} in ${cwd} ended with ${signal ?? status}\n${printed.all}`))
    })
  })
}
