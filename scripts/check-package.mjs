// Checks the very tarball that would be published: `npm pack`, which attw would use, does not apply publishConfig.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(`${command} ${args[0]} failed (exit code ${status})`)
}

const directory = mkdtempSync(join(tmpdir(), 'qrpc-pack-'))
try {
  run('pnpm', 'pack', '--pack-destination', directory)
  const tarball = join(directory, readdirSync(directory)[0])
  run('publint', 'run', tarball, '--strict')
  run('attw', tarball, '--profile', 'esm-only')
} finally {
  rmSync(directory, { recursive: true, force: true })
}
