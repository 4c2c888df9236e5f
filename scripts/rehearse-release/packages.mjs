import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** The packages below `packages/` of a tree: their folders and what their `package.json` says, public or not. */
export function packagesIn(tree) {
  return readdirSync(join(tree, 'packages')).map((name) => {
    const folder = join(tree, 'packages', name)
    return { folder, manifest: readJson(join(folder, 'package.json')) }
  })
}

export const isPublic = ({ manifest }) => manifest.private !== true
