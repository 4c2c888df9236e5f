// Builds and publishes what npm does not have yet. It is for the workflow of releases.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isPublic, packagesIn } from './rehearse-release/packages.mjs'

const root = resolve(import.meta.dirname, '..')
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${status})`)
}

if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY) throw new Error('Releases are made by the workflow, from its repository.')

run('node', 'scripts/turbo.mjs', 'build', '--filter=./packages/*')
// npm takes a provenance only from the repository that the package names, and forks have another.
for (const { folder } of packagesIn(root).filter(isPublic)) {
  const path = join(folder, 'package.json')
  const repository = {
    type: 'git',
    url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`,
    directory: `packages/${basename(folder)}`,
  }
  writeFileSync(path, `${JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), repository }, null, 2)}\n`)
}
run('changeset', 'publish')
