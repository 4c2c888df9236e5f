import { readFile } from 'node:fs/promises'
import { parts } from '../parts/index.ts'
import { isLocal } from '../plan.ts'
import type { Result } from '../run/result.ts'
import type { Size } from '../sizes/sizes.ts'
import type { Machine } from './machine.ts'

/** All that a run has shown. */
export interface Data {
  readonly machine: Machine
  readonly results: readonly Result[]
  readonly sizes: readonly Size[]
}

/** The cases of a run by their kind, each with its results. */
export interface Cases {
  readonly local: readonly (readonly Result[])[]
  readonly remote: readonly (readonly Result[])[]
  readonly parts: readonly (readonly Result[])[]
  /** Under network conditions: those of one workload together. */
  readonly conditioned: readonly (readonly Result[])[]
}

/** Files of earlier runs as one: what a later one has measured again counts. */
export async function readData(files: readonly string[]): Promise<Data> {
  const runs = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Data))
  const results = new Map<string, Result>()
  for (const result of runs.flatMap((run) => run.results)) results.set(keyOf(result), result)
  const [first] = runs
  if (first === undefined) throw new Error('no file to read')
  return { machine: first.machine, results: [...results.values()], sizes: runs.flatMap(({ sizes }) => sizes) }
}

export function casesOf(results: readonly Result[]): Cases {
  const ofParts = (result: Result): boolean => Object.hasOwn(parts, result.workload)
  const plain = results.filter((result) => !ofParts(result) && result.conditions === undefined)
  return {
    local: groupByWorkload(plain.filter(({ peer }) => isLocal(peer))),
    remote: groupByWorkload(plain.filter(({ peer }) => !isLocal(peer))),
    parts: groupByWorkload(results.filter(ofParts)),
    conditioned: groupByWorkload(results.filter(({ conditions }) => conditions !== undefined)),
  }
}

function keyOf({ workload, peer, conditions }: Result): string {
  return JSON.stringify([workload, peer, conditions])
}

function groupByWorkload(results: readonly Result[]): Result[][] {
  const groups = new Map<string, Result[]>()
  for (const result of results) groups.set(result.workload, [...(groups.get(result.workload) ?? []), result])
  return [...groups.values()]
}
