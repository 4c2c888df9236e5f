import { type CallOptions, type Client, type Connector, createClient, RpcError } from '@qrpc/core'
import { Chaos } from '../contract.ts'
import type { Ledger } from '../ledger.ts'
import type { PatientClock } from '../patient-clock.ts'
import { makeCall } from './make-call.ts'
import type { CallPlan } from './plan.ts'

/** By how much a call may miss its deadline, in ms. */
const GRACE_MS = 1000

/** What became of a call: a code, or one of these. */
export type Outcome = 'success' | 'left' | 'overdue' | 'wrong' | RpcError['code']

/** Makes calls as they are planned, and checks what comes of them. */
export class Caller {
  /** How many calls are over, by their outcome. */
  readonly outcomes = new Map<Outcome, number>()
  /** How many iterables of updates were begun and not closed. */
  openSources = 0
  /** What the last call that failed has failed with. */
  lastFailure = 'nothing'
  readonly client: Client<typeof Chaos>
  readonly #ledger: Ledger
  readonly #clock: PatientClock
  /** Told of each call that is over. */
  onSettled: (outcome: Outcome, plan: CallPlan, tookMs: number) => void = () => {}

  constructor(connector: Connector, ledger: Ledger, clock: PatientClock) {
    this.client = createClient(Chaos, connector)
    this.#ledger = ledger
    this.#clock = clock
  }

  async call(plan: CallPlan): Promise<Outcome> {
    const start = performance.now()
    const outcome = await this.#settled(plan)
    // A notify is over once it is on its way: whether it arrives is another matter.
    if (outcome === 'success' && plan.method !== 'tell') this.#ledger.succeeded(plan.asked.id)
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    this.onSettled(outcome, plan, performance.now() - start)
    return outcome
  }

  #settled(plan: CallPlan): Promise<Outcome> {
    return new Promise((resolve) => {
      const callOff = this.#clock.alarm(plan.timeoutMs + GRACE_MS, () => {
        this.#wrong(plan, `has not settled ${GRACE_MS} ms after its deadline`)
        resolve('overdue')
      })
      void this.#made(plan).then((outcome) => {
        callOff()
        resolve(outcome)
      })
    })
  }

  async #made(plan: CallPlan): Promise<Outcome> {
    const abort = new AbortController()
    const options: CallOptions = {
      timeout: plan.timeoutMs,
      signal: abort.signal,
      ...(plan.metadata > 0 && { metadata: { filler: 'm'.repeat(plan.metadata) } }),
    }
    try {
      const ended = await makeCall(plan, { client: this.client, options, abort, sources: this })
      if (ended.flaw !== undefined) return this.#wrong(plan, ended.flaw)
      if (ended.left) return 'left'
      return this.#succeeded(plan)
    } catch (error) {
      return this.#failed(plan, error)
    }
  }

  #succeeded(plan: CallPlan): Outcome {
    if (plan.method === 'tell') return 'success'
    if (plan.asked.hang) return this.#wrong(plan, 'went well, though its handler never answers')
    if (plan.asked.failBefore !== undefined) return this.#wrong(plan, 'went well, though its handler fails')
    return 'success'
  }

  #failed(plan: CallPlan, error: unknown): Outcome {
    if (!(error instanceof RpcError)) return this.#wrong(plan, `failed with ${String(error)}`)
    const { code } = error
    this.lastFailure = `${code}: ${error.message} (${String(error.cause)})`
    const expected =
      code === 'unavailable' ||
      code === 'deadline_exceeded' ||
      (code === 'cancelled' && plan.quit !== undefined) ||
      (code === 'aborted' && plan.asked.failBefore !== undefined)
    return expected ? code : this.#wrong(plan, `failed with ${code}: ${error.message} (${String(error.cause)})`)
  }

  #wrong(plan: CallPlan, what: string): 'wrong' {
    this.#ledger.wrong(`call ${plan.asked.id} (${plan.method}) ${what}: ${describe(plan)}`)
    return 'wrong'
  }
}

function describe({ asked: { bytes, ...asked }, ...plan }: CallPlan): string {
  return JSON.stringify({ ...plan, asked: { ...asked, bytes: bytes.length } })
}
