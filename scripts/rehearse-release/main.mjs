// Rehearses a release from the tree as it is: versions and changelogs, what is packed, and that it can be installed and
// used with each package manager. Nothing is published, and the tree stays as it is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyTree } from './copy.mjs'
import { publishDry } from './publish.mjs'
import { Registry } from './registry.mjs'
import { installAndUse } from './rehearsal.mjs'
import { packAll } from './tarballs.mjs'
import { raiseVersions } from './versions.mjs'

const folder = mkdtempSync(join(tmpdir(), 'qrpc-release-'))
const tree = join(folder, 'tree')
const registry = new Registry()
const failed = []

/** Runs one step and says how long it took. What fails does not hide what comes after. */
async function step(name, work) {
  const start = performance.now()
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1)
  try {
    const result = await work()
    console.log(`${name}: ok, ${seconds()} s`)
    return result
  } catch (error) {
    failed.push(name)
    console.error(`${name}: FAILED, ${seconds()} s`, error)
    return undefined
  }
}

async function rehearse() {
  const release = await step('versions and changelogs', async () => {
    await copyTree(tree)
    return raiseVersions(tree)
  })
  if (release === undefined) return
  console.log(`${release.changes} changesets make it ${release.version}`)
  const tarballs = await step('tarballs', () => packAll(tree, join(folder, 'tarballs'), release))
  if (tarballs === undefined) return
  await registry.listen()
  await step('publishing, dry', () => publishDry(tree, registry, release))
  for (const tarball of tarballs) registry.add(tarball)
  await installAndUse(tarballs, { folder, registry, step })
}

try {
  await rehearse()
} finally {
  registry.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join('; ')}`)
  process.exitCode = 1
}
