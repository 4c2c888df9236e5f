import { leftSince, openHandles } from '@qrpc/conformance/leftovers'
import { Coverage, isOurs } from './coverage.ts'
import { mutate } from './mutate.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'
import type { Subject, Target } from './target.ts'
import { Trial, type Wrong } from './trial.ts'
import { Unheard } from './unheard.ts'

const MAX_SIZE = 64 * 1024
const AT_A_TIME = 16
const LATEST = 16
const MOST_FINDINGS = 10

/** How long, and from where. */
export interface FuzzOptions {
  /** The same inputs again where the target gives no promises. */
  readonly seed: number
  /** How many inputs are tried at least, unless the time is over. Default: no limit. */
  readonly executions?: number
  /** For how long, in ms. Default: no limit. */
  readonly ms?: number
  /** After how many findings it ends. Default: 10, or one that never ends. */
  readonly mostFindings?: number
  /** Of which scripts it matters what of them runs. Default: those of qrpc and what decodes for it. */
  readonly relevant?: (url: string) => boolean
  /** Hears of inputs before they are tried. */
  readonly onTry?: (inputs: readonly Uint8Array[]) => void
  /** Hears of each round. */
  readonly onRound?: (report: FuzzReport) => void
}

/** An input with which something is wrong. */
export interface Finding extends Wrong {
  readonly input: Uint8Array
}

/** What was tried. */
export interface FuzzReport {
  readonly executions: number
  /** Seeds, and inputs that got further than those before them. */
  readonly corpus: number
  /** How much code has run; see {@link Coverage}. */
  readonly covered: number
  readonly findings: readonly Finding[]
}

/** Tries inputs on the target: its seeds, and what can be made of them and of what got further. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, executions: most = Number.POSITIVE_INFINITY, ms = Number.POSITIVE_INFINITY } = options
  const { mostFindings = MOST_FINDINGS } = options
  const { tokens = [], layout, maxSize = MAX_SIZE, atATime = AT_A_TIME, guided = true } = target
  const random = new Random(seed)
  const handles = openHandles()
  const seeds = await target.seeds()
  using unheard = new Unheard()
  const subject = await target.open()
  const trial = new Trial(target, subject, unheard)
  const coverage = new Coverage(options.relevant ?? isOurs)
  const corpus: Uint8Array[] = []
  const findings = new Map<string, Finding>()
  // What hangs may go on, and disturb all that comes.
  const endless = (): boolean => [...findings.values()].some((finding) => finding.endless)
  let executions = 0

  const other = (): Uint8Array => random.pick(corpus.length === 0 ? [new Uint8Array(0)] : corpus)
  const chosen = (): Uint8Array => (random.oneIn(3) ? random.pick(corpus.slice(-LATEST)) : other())
  const next = (): Uint8Array => mutate(chosen(), { random, tokens, layout, maxSize, other })

  async function tryTogether(inputs: readonly Uint8Array[], areSeeds: boolean): Promise<void> {
    executions += inputs.length
    options.onTry?.(inputs)
    const wrong = await trial.together(inputs)
    const ran = coverage.ran()
    if (areSeeds && wrong === undefined) {
      coverage.add(ran)
      corpus.push(...inputs)
    } else if (wrong !== undefined || (guided && coverage.isNew(ran))) {
      await tryApart(inputs, wrong)
      // What does not run again with any of them is not looked for again.
      coverage.add(ran)
    }
    options.onRound?.({ executions, corpus: corpus.length, covered: coverage.size, findings: [...findings.values()] })
  }

  // Which of them it was; what does not show again with any of them is a finding all the same.
  async function tryApart(inputs: readonly Uint8Array[], wrong: Wrong | undefined): Promise<void> {
    let found = false
    for (const input of inputs) {
      if (findings.size >= mostFindings) return
      const again = await trial.one(input)
      const further = coverage.add(coverage.ran())
      if (again !== undefined) {
        found = true
        await keep(input, again)
      } else if (further) corpus.push(input)
    }
    if (wrong !== undefined && !found && !wrong.measured) {
      findings.set(wrong.kind, { ...wrong, input: inputs.at(-1) as Uint8Array })
    }
  }

  async function keep(input: Uint8Array, wrong: Wrong): Promise<void> {
    if (findings.has(wrong.kind) || findings.size >= mostFindings) return
    findings.set(wrong.kind, { ...wrong, input })
    if (wrong.endless) return
    const smaller = await shrink(input, async (less) => (await trial.one(less))?.kind === wrong.kind)
    findings.set(wrong.kind, { ...wrong, input: smaller })
  }

  try {
    for (let at = 0; at < seeds.length; at += atATime) await tryTogether(seeds.slice(at, at + atATime), true)
    const end = performance.now() + ms
    while (executions < most && performance.now() < end && findings.size < mostFindings && !endless()) {
      await tryTogether(Array.from({ length: atATime }, next), false)
    }
  } finally {
    // What is left of all inputs together.
    const left = await leftOf(subject, handles)
    if (left !== undefined && !endless()) {
      findings.set(left, { kind: left, what: left, input: new Uint8Array(0) })
    }
  }
  return { executions, corpus: corpus.length, covered: coverage.size, findings: [...findings.values()] }
}

/** Closes the subject. @returns What is wrong with that, or was left open. */
async function leftOf(subject: Subject, before: ReadonlyMap<string, number>): Promise<string | undefined> {
  try {
    await subject.close?.()
  } catch (error) {
    return `it cannot be closed: ${String(error)}`
  }
  const left = await leftSince(before)
  return left.length === 0 ? undefined : `handles were left open: ${left.join(', ')}`
}
