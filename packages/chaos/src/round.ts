import { Caller, type Outcome } from './calls/caller.ts'
import { type CallPlan, planCall } from './calls/plan.ts'
import type { Certificate } from './certificate.ts'
import { type FaultTimes, planFault } from './faults/fault.ts'
import { heal, inflict } from './faults/inflict.ts'
import { Ledger } from './ledger.ts'
import type { OnChannel } from './open-channels.ts'
import { PatientClock } from './patient-clock.ts'
import { Random } from './random.ts'
import { RECOVERY_MS, recover } from './recover.ts'
import { Site, type SiteKind, type Target } from './site.ts'

/** How a round is run. */
export interface RoundOptions {
  /** The same one makes the same plans of calls and faults; how they meet is up to the machine. */
  readonly seed: number
  readonly kind: SiteKind
  /** How many things go wrong. */
  readonly faults: number
  /** Ends the round before. */
  readonly signal?: AbortSignal | undefined
  /** How many calls are made at a time. */
  readonly callers: number
  /** How long a caller rests after a call, in ms. Default: 0. */
  readonly restMs?: number | undefined
  readonly times: FaultTimes
  readonly certificate: Certificate
  /** A folder for sockets and journals. */
  readonly directory: string
  /** How long it may take until all is well again, in ms. Default: 15000. */
  readonly recoveryMs?: number | undefined
  readonly onChannel?: OnChannel | undefined
  /** Told of each call that is over. */
  readonly onSettled?: (outcome: Outcome, plan: CallPlan, tookMs: number) => void
  /** Told of each thing that is about to go wrong. */
  readonly onFault?: () => void
}

/** What came of a round. */
export interface RoundReport {
  readonly calls: number
  readonly outcomes: ReadonlyMap<Outcome, number>
  /** What happened that must not. */
  readonly wrongs: readonly string[]
}

/** Calls that are over before the next thing goes wrong. */
const MOST_CALLS_BETWEEN_FAULTS = 25

/** Makes calls while things go wrong, then sees to it that all is well again and nothing is left. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const ledger = new Ledger()
  using clock = new PatientClock()
  let outcomes: ReadonlyMap<Outcome, number>
  {
    const random = new Random(options.seed).fork(options.kind.name)
    await using site = await Site.start(options.kind, { ...options, ledger, random: random.fork('network') })
    const caller = new Caller(site.connector, ledger, clock)
    outcomes = caller.outcomes
    await new Round(site, caller, ledger, clock, random, options).run()
    await recover(site, caller, ledger, clock, options.recoveryMs ?? RECOVERY_MS)
  }
  ledger.close()
  return { calls: ledger.calls, outcomes, wrongs: ledger.wrongs }
}

class Round {
  readonly #site: Site
  readonly #caller: Caller
  readonly #ledger: Ledger
  readonly #clock: PatientClock
  readonly #random: Random
  readonly #options: RoundOptions
  #settled = 0
  #over = false

  constructor(site: Site, caller: Caller, ledger: Ledger, clock: PatientClock, random: Random, options: RoundOptions) {
    this.#site = site
    this.#caller = caller
    this.#ledger = ledger
    this.#clock = clock
    this.#random = random
    this.#options = options
    caller.onSettled = (outcome, plan, tookMs) => {
      this.#settled++
      options.onSettled?.(outcome, plan, tookMs)
    }
  }

  async run(): Promise<void> {
    const calling = Promise.all(Array.from({ length: this.#options.callers }, () => this.#call()))
    try {
      await this.#spoil()
    } finally {
      for (const target of this.#site.targets) heal(target)
      this.#over = true
      await calling
    }
  }

  async #call(): Promise<void> {
    const { restMs = 0 } = this.#options
    while (!this.#over) {
      const id = this.#ledger.nextId()
      const outcome = await this.#caller.call(planCall(id, this.#random.fork(id)))
      // Where nobody is there, calls fail faster than anything else could happen.
      if (restMs > 0 || outcome === 'unavailable') await this.#clock.sleep(restMs)
      for (const { node } of this.#site.targets) node.catchUp()
    }
  }

  async #spoil(): Promise<void> {
    const { faults, signal, times, onFault } = this.#options
    const choices = this.#random.fork('faults')
    for (let n = 0; n < faults && signal?.aborted !== true; n++) {
      const due = this.#settled + choices.between(1, MOST_CALLS_BETWEEN_FAULTS)
      await this.#clock.sleep(times.leastBetweenMs)
      await this.#clock.within(times.betweenMs, () => this.#settled >= due)
      const target = choices.pick(this.#site.targets as [Target, ...Target[]])
      onFault?.()
      await inflict(planFault(choices, times, target.network !== undefined), target, this.#clock)
    }
  }
}
