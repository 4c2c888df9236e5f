import { isDeepStrictEqual } from 'node:util'
import { RpcError } from '@qrpc/core'
import { getVerified, putFile, syncNames, waitForBlobs } from '../blob-store/client.ts'
import { Blobs } from '../blob-store/contract.ts'
import type { InputFile } from './input.ts'
import { eachFile, type Run } from './phase.ts'
import { Progress } from './progress.ts'
import { count } from './table.ts'

const ABSENT = '0'.repeat(64)

/** Files by the hash of their content; packages have many in common. */
type Files = ReadonlyMap<string, InputFile>

/**
 * Brings all files into the store: one owner puts the first two thirds; another one, who has the last two thirds,
 * compares names and puts only what the store lacks. All the while a watcher waits for the last of them.
 */
export async function ingestPhase(run: Run): Promise<void> {
  const { client, files, tally, options } = run
  const third = Math.floor(files.length / 3)
  const first = byHash(files.slice(0, 2 * third))
  const second = byHash(files.slice(third))
  const allArrived = tally.attempt(() => waitForBlobs(client.blobs, byHash(files).keys(), options))
  // After an error they may never all arrive: then nobody awaits it, and it ends together with the client.
  allArrived.catch(() => {})

  await eachFile(run, 'put', [...first.values()], (file) => put(run, file))

  const lacking = await compareNames(run, first, second)
  await eachFile(run, 'put what it lacks', lacking, (file) => put(run, file))

  if (tally.errors === 0) await allArrived
}

/** What the server, which has the first owner's files, lacks of the second owner's. */
async function compareNames({ client, tally, options }: Run, first: Files, second: Files): Promise<InputFile[]> {
  using progress = new Progress(`${tally.transport}: sync names`)
  const { missingHere, missingThere } = await tally.attempt(() => syncNames(client.blobs, second.keys(), options))
  if (!isDeepStrictEqual(missingHere, without(first, second))) tally.fail('sync is wrong about the client')
  if (!isDeepStrictEqual(missingThere, without(second, first))) tally.fail('sync is wrong about the server')
  progress.done(`${count(missingThere.length)} missing at the server, ${count(missingHere.length)} at the client`)
  return missingThere.flatMap((hash) => second.get(hash) ?? [])
}

/** Lists the store, reads all files back, and verifies each. */
export async function readBackPhase(run: Run): Promise<void> {
  const names = await run.tally.attempt(() => listNames(run))
  if (!isDeepStrictEqual(names, [...byHash(run.files).keys()].sort())) run.tally.fail('list is wrong')

  await eachFile(run, 'get and verify', run.files, async ({ hash, size }) => {
    let received = 0
    for await (const chunk of getVerified(run.client.blobs, hash, run.options)) received += chunk.byteLength
    if (received !== size) throw new Error(`${received} bytes of ${size}`)
    run.tally.files++
  })
}

async function listNames({ client, options }: Run): Promise<string[]> {
  const names: string[] = []
  for await (const hash of client.blobs.list(undefined, options)) names.push(hash)
  return names
}

/** Asks for what must be refused. */
export async function refusalPhase({ client: { blobs }, tally, options }: Run): Promise<void> {
  using progress = new Progress(`${tally.transport}: refusals`)
  const refusal = async (hash: string): Promise<unknown> => {
    try {
      await tally.attempt(() => blobs.get({ hash }, options).started)
      return undefined
    } catch (error) {
      return error
    }
  }
  const absent = await refusal(ABSENT)
  if (!Blobs.get.isError(absent, 'NotFound') || absent.data.hash !== ABSENT) tally.fail('an absent blob', absent)
  const path = await refusal('../../etc/passwd')
  if (!(path instanceof RpcError) || path.code !== 'invalid_argument') tally.fail('a path for a hash', path)
  progress.done('an absent blob, and a path in the place of a hash')
}

async function put({ client, options }: Run, file: InputFile): Promise<void> {
  const hash = await putFile(client.blobs, file.path, options)
  if (hash !== file.hash) throw new Error(`stored as ${hash}, not as ${file.hash}`)
}

function byHash(files: readonly InputFile[]): Files {
  return new Map(files.map((file) => [file.hash, file]))
}

function without(some: Files, others: Files): string[] {
  return [...some.keys()].filter((hash) => !others.has(hash)).sort()
}
