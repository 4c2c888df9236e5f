// Runs turbo with its telemetry off, whoever calls.
import { spawnSync } from 'node:child_process'
import { delimiter, resolve } from 'node:path'

const bin = resolve(import.meta.dirname, '../node_modules/.bin')
const { status } = spawnSync(resolve(bin, 'turbo'), ['run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    PATH: bin + delimiter + process.env.PATH,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  },
})
process.exit(status ?? 1)
