import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from '../certificate.ts'
import type { Manner } from '../network/network.ts'
import type { Random } from '../random.ts'
import type { NetworkTransport } from '../transports.ts'
import { type CutPoint, runScript, type ScriptBed, type ScriptReport } from './run-script.ts'
import { SCRIPTS, type Script } from './scripts.ts'

/** How all scripts are cut. */
export interface StepsOptions {
  readonly transport: NetworkTransport
  readonly certificate: Certificate
  /** A folder for sockets. */
  readonly directory: string
  /** Which way each connection is cut. */
  readonly random: Random
  /** How much of a step comes through: nothing, half of it, all. */
  readonly shares: readonly number[]
}

/** What came of it. */
export interface StepsReport {
  /** How many connections were cut. */
  readonly cuts: number
  readonly wrongs: readonly string[]
}

const MOST_TRIES = 5
/** Each waits for the other side's silence to be noticed, as a rule. */
const AT_A_TIME = 20

const MANNERS = ['reset', 'end', 'silence'] as const

/** Cuts the connection of each script before, inside and behind each of its steps, in both directions. */
export async function cutEverywhere(options: StepsOptions): Promise<StepsReport> {
  const wrongs: string[] = []
  let directories = 0
  const run = async (script: Script, cut: CutPoint | undefined, tries = 1): Promise<ScriptReport> => {
    const directory = join(options.directory, `${options.transport}-${directories++}`)
    mkdirSync(directory)
    const bed: ScriptBed = { ...options, directory }
    const report = await runScript(script, bed, cut)
    // Also what nobody cuts may be lost, on a machine that stops for as long as silence is borne.
    if (report.wrongs.length > 0 && tries > 1) return run(script, cut, tries - 1)
    const where = cut === undefined ? 'nowhere' : `at ${JSON.stringify(cut)}`
    for (const wrong of report.wrongs) wrongs.push(`${options.transport}, ${script.name}, cut ${where}: ${wrong}`)
    return report
  }
  const points: { readonly script: Script; readonly cut: CutPoint }[] = []
  for (const script of SCRIPTS) {
    const { steps } = await run(script, undefined, MOST_TRIES)
    for (const [step, { passed }] of steps.entries()) {
      for (const direction of ['up', 'down'] as const) {
        for (const bytes of offsets(passed[direction], options.shares)) {
          points.push({ script, cut: { step, direction, bytes, manner: manner(options) } })
        }
      }
    }
  }
  const cuts = points.length
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let point = points.pop(); point !== undefined; point = points.pop()) await run(point.script, point.cut)
    }),
  )
  return { cuts, wrongs }
}

function offsets(bytes: number, shares: readonly number[]): number[] {
  return [...new Set(shares.map((share) => Math.floor(bytes * share)))]
}

function manner({ transport, random }: StepsOptions): Manner {
  return transport === 'quic' ? 'silence' : random.pick(MANNERS)
}
