import type { CallOptions, Client } from '@qrpc/core'
import type { Node } from './contract.ts'
import type { InputFile } from './input.ts'
import { parallel } from './parallel.ts'
import { Progress } from './progress.ts'
import { count, megabytes } from './table.ts'
import type { Tally } from './tally.ts'

const IN_FLIGHT = 8

/** What the phases of a run have in common. */
export interface Run {
  readonly client: Client<typeof Node>
  readonly files: readonly InputFile[]
  readonly tally: Tally
  /** For each call, so that an interrupted demo leaves none behind. */
  readonly options: CallOptions & { readonly signal: AbortSignal }
}

/** Does something with the content of each file, several at a time, and again what an outage has cut off. A file that fails is an error of the run, not its end. */
export async function eachFile(
  { tally, options }: Run,
  label: string,
  files: readonly InputFile[],
  work: (file: InputFile) => Promise<void>,
): Promise<void> {
  using progress = new Progress(`${tally.transport}: ${label}`, files.length)
  const start = performance.now()
  let moved = 0
  await parallel(files, IN_FLIGHT, async (file) => {
    try {
      await tally.attempt(() => work(file))
      moved += file.size
    } catch (error) {
      options.signal.throwIfAborted()
      tally.fail(`${label}: ${file.path}`, error)
    }
    progress.step()
  })
  const elapsed = performance.now() - start
  tally.bytes += moved
  tally.elapsed += elapsed
  progress.done(`${count(files.length)} files, ${megabytes(moved)} MB in ${(elapsed / 1_000).toFixed(2)} s`)
}
