import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { LineSplitter } from './line-splitter.ts'

const CHUNK_SIZE = 64 * 1024
const LONGEST_LINE = 16 * 1024

/**
 * The lines of a file, in batches, as it grows. The first batch, which may be empty, has those of its last 64 KiB. When
 * the file is renamed and made anew it reads the old one to its end and goes on with the new one; when it is truncated,
 * from its beginning. It looks every `intervalMs` rather than being told, which works on all file systems.
 *
 * What is lost: lines that are added and truncated away within one interval, as with any `tail -f`.
 *
 * @throws AbortError when the signal aborts; ENOENT when there is no file at first.
 */
export async function* followFile(
  path: string,
  intervalMs: number,
  signal: AbortSignal,
): AsyncGenerator<string[], void, undefined> {
  const lines = new LineSplitter(LONGEST_LINE)
  const buffer = new Uint8Array(CHUNK_SIZE)
  let file = await open(path)
  try {
    let position = Math.max(0, (await file.stat()).size - CHUNK_SIZE)
    // A line that begins in the middle is none.
    let partial = position > 0
    for (;;) {
      const { size, ino } = await file.stat()
      if (size < position) {
        position = 0
        yield lines.flush()
      }
      const replaced = await isAnother(path, ino)
      for (let bytesRead = 1; bytesRead > 0; position += bytesRead) {
        bytesRead = (await file.read(buffer, 0, CHUNK_SIZE, position)).bytesRead
        const read = lines.push(buffer.subarray(0, bytesRead))
        yield partial ? read.slice(1) : read
        partial = false
        signal.throwIfAborted()
      }
      const next = replaced ? await orMissing(open(path)) : undefined
      if (next === undefined) await delay(intervalMs, undefined, { signal })
      else {
        const old: FileHandle = file
        file = next
        position = 0
        await old.close()
        yield lines.flush()
      }
    }
  } finally {
    await file.close()
  }
}

async function isAnother(path: string, ino: number): Promise<boolean> {
  const stats = await orMissing(stat(path))
  return stats !== undefined && stats.ino !== ino
}

/** `undefined` where nothing has the name, as it is between being renamed and made anew. */
async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
