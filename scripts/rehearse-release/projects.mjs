import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from './packages.mjs'
import { bin, run } from './run.mjs'

/** How each package manager adds packages to a project; all look into their caches first. */
const ADD = {
  npm: (cwd, names) => run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...names], { cwd }),
  pnpm: (cwd, names) => run(bin('pnpm'), ['add', '--prefer-offline', ...names], { cwd }),
  yarn: (cwd, names) => run(bin('yarn'), ['add', '--prefer-offline', '--non-interactive', ...names], { cwd }),
}

/**
 * Makes a project with nothing but the packages, installed in the way of a user, and the programs of `consumer/`.
 *
 * @param settings.registry Where the packages of qrpc come from. All others come from where this machine has them from.
 * @param settings.withEmpty Names of packages to have without contents. Default: none.
 */
export async function makeProject(folder, manager, names, { registry, certificate, withEmpty = [] }) {
  mkdirSync(join(folder, 'empty'), { recursive: true })
  writeFileSync(join(folder, 'empty/package.json'), '{ "name": "empty", "version": "0.0.0" }\n')
  const resolutions = Object.fromEntries(withEmpty.map((name) => [name, 'file:./empty']))
  const manifest = { name: 'consumer', version: '1.0.0', private: true, license: 'MIT', resolutions }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, '.npmrc'), `@qrpc:registry=${registry.url}\n`)
  // Left to itself, yarn has a registry of its own.
  const others = (await run('npm', ['config', 'get', 'registry'], { cwd: folder })).trim()
  writeFileSync(join(folder, '.yarnrc'), `registry "${others}"\n`)
  await ADD[manager](folder, names)
  cpSync(join(import.meta.dirname, 'consumer'), folder, { recursive: true })
  writeFileSync(join(folder, 'key.pem'), certificate.key)
  writeFileSync(join(folder, 'cert.pem'), certificate.cert)
}

/** The packages in a project, below scopes, too. */
export function installedIn(folder) {
  const modules = join(folder, 'node_modules')
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
}

/**
 * The optional packages that npm has left out of a project: binaries for other systems. Yarn 1 looks all of them up, and
 * gives up where a registry lacks one.
 */
export function leftOutOf(folder) {
  const installed = installedIn(folder)
  const optional = installed.flatMap((name) =>
    Object.keys(readJson(join(folder, 'node_modules', name, 'package.json')).optionalDependencies ?? {}),
  )
  return [...new Set(optional)].filter((name) => !existsSync(join(folder, 'node_modules', name)))
}
