import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A file that the demo sends about. */
export interface InputFile {
  readonly path: string
  readonly size: number
  /** What the store must call it: taken here, apart from all that the demo is to show. */
  readonly hash: string
}

/** How much the demo takes. */
export interface InputLimits {
  readonly files: number
  readonly bytes: number
  /** Files above this are left out, or a few binaries would be all there is. */
  readonly fileBytes: number
}

const LIMITS: InputLimits = { files: 2_000, bytes: 64e6, fileBytes: 16e6 }

/** The first files of a directory, in an order that is the same on each run; what cannot be read is left out. */
export async function findFiles(directory: string, limits: InputLimits = LIMITS): Promise<InputFile[]> {
  const files: InputFile[] = []
  let bytes = 0
  for await (const path of walk(directory)) {
    const file = await inputFile(path, Math.min(limits.fileBytes, limits.bytes - bytes))
    if (file === undefined) continue
    files.push(file)
    bytes += file.size
    if (files.length === limits.files) break
  }
  return files
}

/** Symbolic links are neither files nor directories here, so the walk stays inside and passes each file once. */
async function* walk(directory: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}

async function inputFile(path: string, largest: number): Promise<InputFile | undefined> {
  try {
    if ((await stat(path)).size > largest) return undefined
    const content = await readFile(path)
    return { path, size: content.byteLength, hash: createHash('sha256').update(content).digest('hex') }
  } catch {
    return undefined
  }
}
