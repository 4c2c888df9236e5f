import type { Conditions } from '../network/conditions.ts'
import { peerEntry } from '../peers/index.ts'
import type { Ability } from '../peers/peer.ts'
import { baseline } from '../plan.ts'
import { population, rateWorkload } from '../workloads/index.ts'
import { type Case, messageOf, type Run, STEP_MS } from './case.ts'
import { Child } from './child.ts'
import { measurePopulations } from './measure-populations.ts'
import { measureRates } from './measure-rates.ts'
import type { PartAnswer, PartOrder } from './orders.ts'
import { type NotMeasured, type Result, summary, withRatios } from './result.ts'

/** Measures a case, in processes of its own for each peer. */
export async function runCase(of: Case, run: Run): Promise<Result[]> {
  if (of.kind === 'part') return withRatios(await runPart(of.workload, run))
  const { title, needs } = of.kind === 'rate' ? rateWorkload(of.workload) : population(of.workload)
  const { able, unable } = await divide(of, needs)
  const outcomes =
    of.kind === 'rate'
      ? await measureRates(of, rateWorkload(of.workload), able, run)
      : await measurePopulations(of, population(of.workload), able, run)
  const about = (peer: string): NotMeasured => ({
    workload: of.workload,
    title,
    peer,
    baseline: baseline(of.workload, peer),
    ...(of.conditions !== undefined && { conditions: of.conditions }),
  })
  return withRatios(of.peers.map((peer) => ({ ...about(peer), ...unable.get(peer), ...outcomes.get(peer) })))
}

async function divide(
  { peers, conditions }: Case,
  needs: Ability,
): Promise<{ able: string[]; unable: Map<string, { cannot: string }> }> {
  const able: string[] = []
  const unable = new Map<string, { cannot: string }>()
  for (const peer of peers) {
    const { default: adapter } = await peerEntry(peer).load()
    const cannot = adapter.cannot?.[needs] ?? cannotBeUnder(conditions, peer)
    if (cannot === undefined) able.push(peer)
    else unable.set(peer, { cannot })
  }
  return { able, unable }
}

/** A relay can lose datagrams; what TCP has acknowledged to the sender it has to deliver. */
function cannotBeUnder(conditions: Conditions | undefined, peer: string): string | undefined {
  const loses = conditions !== undefined && conditions.loss > 0
  return loses && peerEntry(peer).transport !== 'quic' ? 'a relay cannot lose parts of TCP' : undefined
}

async function runPart(workload: string, { effort: { rounds, roundMs }, onStep }: Run): Promise<Result[]> {
  onStep(workload, 3 * rounds * roundMs)
  using child = new Child<PartOrder>('part-process')
  try {
    const { title, rates } = await child.tell<PartAnswer>({ part: workload, rounds, roundMs }, STEP_MS)
    const baselineName = rates[0]?.name ?? ''
    return rates.map(({ name, rounds: values }) => ({
      workload,
      title,
      peer: name,
      baseline: baselineName,
      ...summary('operations/s', values),
    }))
  } catch (error) {
    return [{ workload, title: workload, peer: workload, baseline: workload, failed: messageOf(error) }]
  }
}
