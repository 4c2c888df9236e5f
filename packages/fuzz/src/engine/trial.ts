import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Script } from 'node:vm'
import { Cost } from './cost.ts'
import type { Subject, Target } from './target.ts'
import type { Unheard } from './unheard.ts'

const RUN = '__qrpcFuzzRun'
const script = new Script(`globalThis.${RUN}()`)
const PATIENCE_MS = 20_000
// Compiling and collecting garbage cost what they cost, whatever the input is: what is over budget has more chances.
const CHANCES = 4

const BLOCKS = 'it blocks the process'
const HANGS = 'it hangs'

/** What is wrong with an input. */
export interface Wrong {
  /** The same for the same kind of thing. */
  readonly kind: string
  /** The whole of it. */
  readonly what: string
  /** It was measured, and is the machine's doing unless it shows again. Default: false. */
  readonly measured?: boolean
  /** It takes for ever, or nearly so, each time. Default: false. */
  readonly endless?: boolean
}

/** Tries inputs on a subject, and tells what is wrong. */
export class Trial {
  readonly #target: Target
  readonly #subject: Subject
  readonly #unheard: Unheard

  constructor(target: Target, subject: Subject, unheard: Unheard) {
    this.#target = target
    this.#subject = subject
    this.#unheard = unheard
  }

  /**
   * Tries them all, at a time where the subject takes its time. @returns What is wrong, not necessarily with which:
   * `try` them one by one to learn that.
   */
  async together(inputs: readonly Uint8Array[]): Promise<Wrong | undefined> {
    const cost = new Cost()
    const wrong = await this.#try(inputs)
    if (wrong !== undefined) return wrong
    const { length } = inputs
    const size = inputs.reduce((sum, input) => sum + input.length, 0)
    // None of them alone may cost more than they all may together; what each may is seen then.
    const over = cost.over(this.#target.budget, size / length)
    return over === undefined ? undefined : { kind: over, what: over, measured: true }
  }

  /** Tries one input, several times where it costs too much. */
  async one(input: Uint8Array): Promise<Wrong | undefined> {
    let over: string | undefined
    for (let chance = 0; chance < CHANCES; chance++) {
      if (chance > 0) globalThis.gc?.()
      const cost = new Cost()
      const wrong = await this.#try([input])
      if (wrong !== undefined) return wrong
      over = cost.over(this.#target.budget, input.length)
      if (over === undefined) return undefined
    }
    return over === undefined ? undefined : { kind: over, what: over, measured: true }
  }

  async #try(inputs: readonly Uint8Array[]): Promise<Wrong | undefined> {
    const patienceMs = this.#target.patienceMs ?? PATIENCE_MS
    let wrong: Wrong | undefined
    try {
      const pending = within(patienceMs, () => inputs.map((input) => this.#subject.try(input)))
      if (pending.some((one) => one !== undefined)) wrong = await settled(pending, patienceMs)
      else await nextTurn()
    } catch (error) {
      wrong = describe(error)
    }
    const [unheard] = this.#unheard.take()
    if (wrong !== undefined || unheard === undefined) return wrong
    const { kind, what } = describe(unheard)
    return { kind: `nobody has caught ${kind}`, what: `nobody has caught this: ${what}` }
  }
}

/** Runs it, but not for ever. */
function within<R>(ms: number, run: () => R): R {
  let result: R | undefined
  const scope = globalThis as unknown as Record<string, () => void>
  scope[RUN] = () => {
    result = run()
  }
  script.runInThisContext({ timeout: ms })
  return result as R
}

async function settled(pending: readonly (void | Promise<void>)[], ms: number): Promise<Wrong | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  const all = Promise.allSettled(pending.map((one) => Promise.resolve(one)))
  const outcomes = await Promise.race([all, late])
  clearTimeout(timer)
  if (outcomes === 'late') return { kind: HANGS, what: `${HANGS}: no result after ${ms} ms`, endless: true }
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  return failed === undefined ? undefined : describe(failed.reason)
}

function describe(thrown: unknown): Wrong {
  if (!(thrown instanceof Error)) return { kind: typeof thrown, what: String(thrown) }
  if ((thrown as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
    return { kind: BLOCKS, what: `${BLOCKS}: ${thrown.message}`, measured: true, endless: true }
  }
  // Where it was thrown tells kinds apart, and the numbers in a message do not.
  const place = thrown.stack?.split('\n').find((line) => line.startsWith('    at ')) ?? ''
  return {
    kind: `${thrown.name}: ${thrown.message.replaceAll(/\d+/g, 'n')}${place}`,
    // With its causes.
    what: inspect(thrown),
  }
}
