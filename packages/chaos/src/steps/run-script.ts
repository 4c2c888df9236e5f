import { RpcError } from '@qrpc/core'
import { Caller } from '../calls/caller.ts'
import { planCalmCall } from '../calls/plan.ts'
import type { Certificate } from '../certificate.ts'
import { heal } from '../faults/inflict.ts'
import { Ledger } from '../ledger.ts'
import type { Direction, Manner, Network } from '../network/network.ts'
import { PatientClock } from '../patient-clock.ts'
import { Random } from '../random.ts'
import { RECOVERY_MS, recover } from '../recover.ts'
import { Site } from '../site.ts'
import type { NetworkTransport } from '../transports.ts'
import { type Script, SETTLED_MS } from './scripts.ts'

/** Where a connection is cut. */
export interface CutPoint {
  /** In which step, counted from 0. */
  readonly step: number
  readonly direction: Direction
  /** How many bytes of the step come through before. */
  readonly bytes: number
  readonly manner: Manner
}

/** One step as it went. */
interface Step {
  readonly name: string
  /** What it took, in bytes. */
  readonly passed: Readonly<Record<Direction, number>>
}

/** What came of a script. */
export interface ScriptReport {
  /** The steps that were done. */
  readonly steps: readonly Step[]
  /** What happened that must not. */
  readonly wrongs: readonly string[]
}

/** What a script is run with. */
export interface ScriptBed {
  readonly transport: NetworkTransport
  readonly certificate: Certificate
  /** A folder of its own for sockets. */
  readonly directory: string
}

/** Runs a script on a site of its own and cuts its connection, if it is told where; then all must be well again. */
export async function runScript(script: Script, bed: ScriptBed, cut: CutPoint | undefined): Promise<ScriptReport> {
  const { transport } = bed
  const ledger = new Ledger()
  using clock = new PatientClock()
  const steps: Step[] = []
  {
    await using site = await Site.start(
      { name: 'steps', transports: [transport] },
      { ...bed, ledger, random: new Random(1) },
    )
    const caller = new Caller(site.connector, ledger, clock)
    if (script.cold !== true) await caller.call(planCalmCall(ledger.nextId(), 'echo'))
    const network = site.targets[0]?.network as Network
    const running = script.run({ client: caller.client, ledger, clock })
    let late = false
    const callOff = clock.alarm(SETTLED_MS, () => {
      late = true
      ledger.wrong(`the call has not settled after ${SETTLED_MS} ms`)
      void site.connector.close()
    })
    try {
      await runSteps(running, network, cut, steps)
    } catch (error) {
      const code = error instanceof RpcError ? error.code : undefined
      const expected = (cut !== undefined && code === 'unavailable') || (code !== undefined && code === script.code)
      if (!expected && !late) ledger.wrong(`the call failed with ${String(error)} (${String((error as Error)?.cause)})`)
    }
    callOff()
    for (const target of site.targets) heal(target)
    if (!late) await recover(site, caller, ledger, clock, RECOVERY_MS)
  }
  ledger.close()
  return { steps, wrongs: ledger.wrongs }
}

async function runSteps(
  running: AsyncGenerator<string, void>,
  network: Network,
  cut: CutPoint | undefined,
  steps: Step[],
): Promise<void> {
  for (;;) {
    const due = cut?.step === steps.length
    if (due) network.cutAfter(cut.direction, cut.bytes, cut.manner)
    const before = { ...network.passed }
    const { value: name, done } = await running.next()
    if (done === true) return
    steps.push({ name, passed: { up: network.passed.up - before.up, down: network.passed.down - before.down } })
    // A step may get by with less than it took the other time: then it has been cut behind it.
    if (due) network.cut(cut.manner)
  }
}
