import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isPublic, packagesIn } from './packages.mjs'
import { root, run } from './run.mjs'

const WHAT_A_RELEASE_NEEDS = [
  '.changeset',
  'LICENSE-*',
  'package.json',
  'pnpm-workspace.yaml',
  'packages',
  'scripts',
  '*/package.json',
]

/** Copies the tree as it is, committed or not, with what is built: a release changes files that nobody asked it to here. */
export async function copyTree(to) {
  const listed = await run(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...WHAT_A_RELEASE_NEEDS],
    { cwd: root },
  )
  for (const file of listed.split('\0')) {
    if (file === '' || !existsSync(join(root, file))) continue
    mkdirSync(dirname(join(to, file)), { recursive: true })
    cpSync(join(root, file), join(to, file))
  }
  linkChangesets(to)
  const packages = packagesIn(to)
  for (const { folder, manifest } of packages) {
    if (!isPublic({ manifest })) continue
    cpSync(join(folder.replace(to, root), 'dist'), join(folder, 'dist'), { recursive: true })
    linkWorkspace(packages, folder)
  }
  // Changesets ask git which commits they came with.
  const git = (...args) =>
    run('git', ['-c', 'user.name=qrpc', '-c', 'user.email=qrpc@localhost', '-c', 'commit.gpgsign=false', ...args], {
      cwd: to,
    })
  await git('init', '--quiet')
  await git('add', '.changeset', 'packages/*/package.json')
  await git('commit', '--quiet', '--no-verify', '--message', 'Rehearse a release')
}

// The configuration names them. Nothing else of the tree is within reach of what runs in the copy, to be changed by it.
function linkChangesets(to) {
  mkdirSync(join(to, 'node_modules/@changesets'), { recursive: true })
  symlinkSync(
    realpathSync(join(root, 'node_modules/@changesets/cli')),
    join(to, 'node_modules/@changesets/cli'),
    'junction',
  )
}

// pnpm reads the version behind `workspace:^` from what is linked there.
function linkWorkspace(packages, folder) {
  for (const { folder: target, manifest } of packages) {
    const link = join(folder, 'node_modules', manifest.name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link, 'junction')
  }
}
