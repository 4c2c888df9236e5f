import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What an installation takes. */
export interface Installed {
  readonly bytes: number
  readonly packages: number
}

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** The packages and all that they depend on, as they lie on this machine. */
export function installedSize(names: readonly string[], from: string): Installed {
  const folders = new Set<string>()
  for (const name of names) collect(name, from, folders)
  let bytes = 0
  for (const folder of folders) bytes += sizeOfPackage(folder)
  return { bytes, packages: folders.size }
}

function collect(name: string, from: string, folders: Set<string>): void {
  const folder = find(name, from)
  // What is optional is there for some platforms only.
  if (folder === undefined || folders.has(folder)) return
  folders.add(folder)
  const { dependencies = {}, optionalDependencies = {} } = manifestOf(folder)
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) collect(needed, folder, folders)
}

function find(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(candidate)) return realpathSync(candidate)
    if (folder === dirname(folder)) return undefined
  }
}

/** Of a package of this workspace, what would be published. */
function sizeOfPackage(folder: string): number {
  const { name, files } = manifestOf(folder)
  if (!name.startsWith('@qrpc/') || files === undefined) return sizeOf(folder)
  const published = files.filter((file) => !file.startsWith('!')).map((file) => sizeOf(join(folder, file)))
  return published.reduce((total, bytes) => total + bytes, statSync(join(folder, 'package.json')).size)
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 0
  if (!found.isDirectory()) return path.endsWith('.tsbuildinfo') ? 0 : found.size
  return readdirSync(path)
    .filter((entry) => entry !== 'node_modules')
    .reduce((total, entry) => total + sizeOf(join(path, entry)), 0)
}
