import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPublic, packagesIn } from './packages.mjs'
import { bin, run } from './run.mjs'

const BUMPS = ['patch', 'minor', 'major']

/** Has changesets raise the versions of a tree, and checks what came of it. Gives the common version. */
export async function raiseVersions(tree) {
  const before = packagesIn(tree)
  const changes = readChangesets(join(tree, '.changeset'))
  checkNames(changes, before)
  const version = nextVersion(before, changes)

  await run(bin('changeset'), ['version'], { cwd: tree })

  assert.deepEqual(readChangesets(join(tree, '.changeset')), [], 'changesets are used up by a release')
  for (const [index, after] of packagesIn(tree).entries()) {
    const { name } = after.manifest
    const changelog = join(after.folder, 'CHANGELOG.md')
    if (isPublic(after)) {
      assert.equal(after.manifest.version, version, `version of ${name}`)
      if (changes.length > 0) checkChangelog(name, readFileSync(changelog, 'utf8'), version, changes)
    } else {
      assert.equal(after.manifest.version, before[index].manifest.version, `version of ${name}, which is private`)
      assert.ok(!existsSync(changelog), `${name} is private and has a changelog`)
    }
  }
  return { version, changes: changes.length }
}

function readChangesets(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .map((file) => {
      const parts = /^---\n((?:["']@qrpc\/[a-z0-9-]+["']: (?:patch|minor|major)\n)+)---\n\n(\S[\s\S]*)$/.exec(
        readFileSync(join(folder, file), 'utf8'),
      )
      assert.ok(
        parts,
        `${file} is not of the form: ---, lines of '@qrpc/name': patch | minor | major, ---, empty line, text`,
      )
      const bumps = Object.fromEntries(
        [...parts[1].matchAll(/(@qrpc\/[a-z0-9-]+)["']: (\w+)/g)].map((m) => [m[1], m[2]]),
      )
      return { file, bumps, text: parts[2].trim() }
    })
}

function checkNames(changes, packages) {
  const names = packages.filter(isPublic).map(({ manifest }) => manifest.name)
  for (const { file, bumps } of changes) {
    for (const name of Object.keys(bumps)) assert.ok(names.includes(name), `${file}: ${name} is no public package`)
  }
}

/** All public packages share a version, and the greatest change of any raises it. */
function nextVersion(packages, changes) {
  const versions = new Set(packages.filter(isPublic).map(({ manifest }) => manifest.version))
  assert.equal(versions.size, 1, `public packages have the versions ${[...versions].join(', ')}`)
  const parts = [...versions][0].split('.').map(Number)
  if (changes.length === 0) return parts.join('.')
  const raised =
    2 - Math.max(...changes.flatMap(({ bumps }) => Object.values(bumps).map((bump) => BUMPS.indexOf(bump))))
  return parts.map((part, index) => (index < raised ? part : index === raised ? part + 1 : 0)).join('.')
}

function checkChangelog(name, changelog, version, changes) {
  assert.ok(changelog.startsWith(`# ${name}\n`), `heading of the changelog of ${name}`)
  assert.ok(changelog.includes(`\n## ${version}\n`), `${version} in the changelog of ${name}`)
  for (const { file, bumps, text } of changes) {
    const told = changelog.includes(text.split('\n')[0])
    assert.equal(told, name in bumps, `whether the changelog of ${name} has the text of ${file}`)
  }
}
