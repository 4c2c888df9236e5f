import assert from 'node:assert/strict'
import { join } from 'node:path'
import { isPublic, packagesIn, readJson } from './packages.mjs'
import { bin, run } from './run.mjs'

/** Goes through publishing all that changed, up to the upload. */
export async function publishDry(tree, registry, { version }) {
  await run(
    bin('pnpm'),
    ['--recursive', 'publish', '--dry-run', '--no-git-checks', '--report-summary', '--registry', registry.url],
    { cwd: tree },
  )
  const { publishedPackages } = readJson(join(tree, 'pnpm-publish-summary.json'))
  const published = publishedPackages.map((each) => `${each.name}@${each.version}`).toSorted()
  const wanted = packagesIn(tree)
    .filter(isPublic)
    .map(({ manifest }) => `${manifest.name}@${version}`)
  assert.deepEqual(published, wanted.toSorted(), 'what would be published')
}
