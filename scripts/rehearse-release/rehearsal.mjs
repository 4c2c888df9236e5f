import { join } from 'node:path'
import { generate } from 'selfsigned'
import { NODE_RELEASES, nodeOf } from '../node-releases.mjs'
import { checkAlone, checkTypes, runKit, runPrograms } from './checks.mjs'
import { packagesIn, readJson } from './packages.mjs'
import { leftOutOf, makeProject } from './projects.mjs'
import { root } from './run.mjs'

const OLDEST_TYPESCRIPT = '5.2.2'

/** Installs the packages with each package manager, and uses them there. `step` runs one step, and goes on if it fails. */
export async function installAndUse(tarballs, { folder, registry, step }) {
  const all = tarballs.map(({ manifest }) => manifest.name)
  const app = [...all.filter((name) => name !== '@qrpc/conformance'), ...peers()]
  const author = [...all, ...peers(), `vitest@${pinned('vitest')}`, `typescript@${OLDEST_TYPESCRIPT}`]
  const settings = { registry, certificate: await makeCertificate() }

  const install = async (name, manager, names, more = {}) => {
    const project = join(folder, name)
    const made = await step(`${name}: install`, async () => {
      await makeProject(project, manager, names, { ...settings, ...more })
      return true
    })
    return made ? project : undefined
  }

  const alone = await install('alone', 'npm', ['@qrpc/core', '@qrpc/transport-mem'])
  if (alone) await step('alone: nothing but what it needs', () => checkAlone(alone))

  const npm = await install('npm', 'npm', app)
  if (npm) {
    await use('npm', npm, step)
    for (const release of NODE_RELEASES) {
      await step(`Node.js ${release}: calls`, () => runPrograms(npm, nodeOf(release)))
    }
  }

  const yarn = await install('yarn', 'yarn', app, { withEmpty: npm ? leftOutOf(npm) : [] })
  if (yarn) await use('yarn', yarn, step)

  const pnpm = await install('pnpm', 'pnpm', author)
  if (pnpm) {
    await use('pnpm', pnpm, step)
    const oldest = join(pnpm, 'node_modules/typescript')
    await step(`pnpm: types with TypeScript ${OLDEST_TYPESCRIPT}`, () => checkTypes(pnpm, oldest))
    await step('pnpm: conformance kit', () => runKit(pnpm))
  }
}

async function use(name, project, step) {
  await step(`${name}: calls`, () => runPrograms(project))
  await step(`${name}: types`, () => checkTypes(project, join(root, 'node_modules/typescript')))
}

const pinned = (name, folder = root) => readJson(join(folder, 'package.json')).devDependencies[name]

/** What the packages leave to the app: peers, and the types of Node.js. */
function peers() {
  const telemetry = packagesIn(root).find(({ manifest }) => manifest.name === '@qrpc/opentelemetry')
  return [
    `@opentelemetry/api@${pinned('@opentelemetry/api', telemetry.folder)}`,
    `@types/node@${pinned('@types/node')}`,
  ]
}

async function makeCertificate() {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { key: made.private, cert: made.cert }
}
