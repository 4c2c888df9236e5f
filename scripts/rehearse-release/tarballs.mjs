import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isPublic, packagesIn, readJson } from './packages.mjs'
import { bin, root, run } from './run.mjs'

const LICENSES = ['LICENSE-APACHE', 'LICENSE-MIT']
const BESIDE_CODE = ['CHANGELOG.md', 'README.md', 'package.json', ...LICENSES]

/** Packs the public packages of a tree and checks what is in each. Gives their tarballs with what their manifests say. */
export async function packAll(tree, folder, release) {
  const packages = packagesIn(tree).filter(isPublic)
  const names = packages.map(({ manifest }) => manifest.name)
  const measured = readJson(join(root, '.size-limit.json')).map(({ path }) => path.split('/')[1])
  const tarballs = []
  for (const { folder: from, manifest } of packages) {
    assert.ok(measured.includes(basename(from)), `${manifest.name} is not in .size-limit.json`)
    const to = join(folder, basename(from))
    mkdirSync(to, { recursive: true })
    const tarball = join(to, 'package.tgz')
    await run(bin('pnpm'), ['pack', '--out', tarball], { cwd: from })
    await run('tar', ['-xzf', 'package.tgz'], { cwd: to })
    const entries = (await run('tar', ['-tzf', 'package.tgz'], { cwd: to })).trim().split(/\r?\n/)
    const unpacked = join(to, 'package')
    const packed = readJson(join(unpacked, 'package.json'))
    checkFiles(manifest.name, entries, packed, { unpacked, changelog: existsSync(join(from, 'CHANGELOG.md')) })
    checkManifest(packed, { names, version: release.version })
    tarballs.push({ tarball, manifest: packed })
  }
  return tarballs
}

function checkFiles(name, entries, manifest, { unpacked, changelog }) {
  const files = entries.map((entry) => entry.replace(/^package\//, ''))
  const wanted = BESIDE_CODE.filter((file) => changelog || file !== 'CHANGELOG.md')
  const strange = files.filter((file) => !wanted.includes(file) && !/^(dist|src)\/.+\.(ts|js|map)$/.test(file))
  assert.deepEqual(strange, [], `files in ${name} that are no code`)
  assert.deepEqual(
    files.filter((file) => /(^|[/.])(tests?|spec|bench)[/.]/.test(file)),
    [],
    `tests in ${name}`,
  )

  const targets = Object.values(manifest.exports).flatMap((target) => Object.values(target))
  const missing = [...wanted, ...targets].filter((file) => !files.includes(file.replace(/^\.\//, '')))
  assert.deepEqual(missing, [], `files missing in ${name}`)

  const built = files.filter((file) => /^dist\/.*\.js$/.test(file))
  const sources = files.filter((file) => /^src\/.*\.ts$/.test(file) && !file.endsWith('.d.ts'))
  const outputs = sources.map((file) => file.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'))
  assert.deepEqual(built.toSorted(), outputs.toSorted(), `what is built in ${name} and its sources`)
  for (const license of LICENSES) {
    assert.equal(readFileSync(join(unpacked, license), 'utf8'), readFileSync(join(root, license), 'utf8'), license)
  }
}

function checkManifest(manifest, { names, version }) {
  const { name } = manifest
  const written = JSON.stringify(manifest)
  for (const word of ['workspace:', '@qrpc/source', 'file:', 'link:']) {
    assert.ok(!written.includes(word), `${word} is left in the package.json of ${name}`)
  }
  assert.equal(manifest.version, version, `version of ${name}`)
  assert.equal(manifest.license, '(MIT OR Apache-2.0)', `license of ${name}`)
  assert.equal(manifest.type, 'module', `type of ${name}`)
  assert.equal(manifest.sideEffects, false, `sideEffects of ${name}`)
  assert.equal(manifest.engines.node, readJson(join(root, 'package.json')).engines.node, `engines of ${name}`)
  assert.equal(manifest.publishConfig.access, 'public', `access of ${name}`)
  assert.ok(manifest.description?.length > 20 && manifest.keywords?.length > 3, `description and keywords of ${name}`)
  for (const [dependency, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (!dependency.startsWith('@qrpc/')) continue
    assert.ok(names.includes(dependency), `${name} depends on ${dependency}, which is not published`)
    assert.equal(range, `^${version}`, `version of ${dependency} that ${name} depends on`)
  }
}
