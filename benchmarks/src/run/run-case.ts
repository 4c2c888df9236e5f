import { type Network, startNetwork } from '../network/network.ts'
import { peerEntry } from '../peers/index.ts'
import type { Ability } from '../peers/peer.ts'
import { baseline } from '../plan.ts'
import { population, rateWorkload } from '../workloads/index.ts'
import { type Case, effortUnder, messageOf, type Run, STEP_MS } from './case.ts'
import { Child } from './child.ts'
import { measurePopulations } from './measure-populations.ts'
import { measureRates } from './measure-rates.ts'
import type { PartAnswer, PartOrder } from './orders.ts'
import { type NotMeasured, type Result, summary, withRatios } from './result.ts'

/** Measures a case, in processes of its own for each peer. */
export async function runCase(of: Case, given: Omit<Run, 'network'>): Promise<Result[]> {
  if (of.kind === 'part') return withRatios(await runPart(of.workload, given))
  await using network = startNetwork(of.conditions)
  const run: Run = { ...given, effort: effortUnder(of.conditions, given.effort), network }
  const { title, needs } = of.kind === 'rate' ? rateWorkload(of.workload) : population(of.workload)
  const { able, unable } = await divide(of.peers, needs, network)
  const outcomes =
    of.kind === 'rate'
      ? await measureRates(of, rateWorkload(of.workload), able, run)
      : await measurePopulations(of, population(of.workload), able, run)
  const about = (peer: string): NotMeasured => ({
    workload: of.workload,
    title,
    peer,
    baseline: baseline(of.workload, peer),
    ...(of.conditions !== undefined && { conditions: of.conditions, network: network.description }),
  })
  return withRatios(of.peers.map((peer) => ({ ...about(peer), ...unable.get(peer), ...outcomes.get(peer) })))
}

async function divide(
  peers: readonly string[],
  needs: Ability,
  network: Network,
): Promise<{ able: string[]; unable: Map<string, { cannot: string }> }> {
  const able: string[] = []
  const unable = new Map<string, { cannot: string }>()
  for (const peer of peers) {
    const { default: adapter } = await peerEntry(peer).load()
    const cannot = adapter.cannot?.[needs] ?? network.cannotCarry(peer)
    if (cannot === undefined) able.push(peer)
    else unable.set(peer, { cannot })
  }
  return { able, unable }
}

async function runPart(
  workload: string,
  { effort: { rounds, roundMs }, onStep }: Omit<Run, 'network'>,
): Promise<Result[]> {
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
