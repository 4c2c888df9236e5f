import assert from 'node:assert/strict'
import { join } from 'node:path'
import { installedIn } from './projects.mjs'
import { run } from './run.mjs'

const RESOLUTIONS = [
  ['esnext', 'bundler'],
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
]

/** Runs the programs of a project, with `import` and with `require`. */
export async function runPrograms(folder, node = [process.execPath]) {
  const [command, ...args] = node
  for (const program of ['imports.mjs', 'requires.cjs']) await run(command, [...args, program], { cwd: folder })
}

/** Type checks the program of a project as each kind of project sees the packages. */
export async function checkTypes(folder, typescript) {
  for (const [module, moduleResolution] of RESOLUTIONS) {
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node']
    // The declarations themselves are checked once; those of the QUIC binding need the types of the DOM for that.
    const declarations = module === 'nodenext'
    const lib = declarations ? 'es2022,esnext.disposable,dom' : 'es2022,esnext.disposable'
    const as = ['--module', module, '--moduleResolution', moduleResolution, '--lib', lib]
    const tsc = join(typescript, 'bin/tsc')
    await run(process.execPath, [tsc, ...options, ...as, '--skipLibCheck', `${!declarations}`, 'types.mts'], {
      cwd: folder,
    })
  }
}

/** Whoever installs one transport gets what that needs, and nothing of the others: no CBOR, no QUIC. */
export async function checkAlone(folder) {
  assert.deepEqual(installedIn(folder).toSorted(), ['@qrpc/core', '@qrpc/transport-mem', '@standard-schema/spec'])
  await run(process.execPath, ['alone.mjs'], { cwd: folder })
}

/** The conformance kit runs where it is installed: in the project of somebody who writes a transport. */
export async function runKit(folder) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json']
  const report = JSON.parse(await run(process.execPath, vitest, { cwd: folder }))
  assert.ok(report.success && report.numPassedTests > 50, `${report.numPassedTests} cases of the kit passed`)
}
