import type { RateWorkload } from '../workloads/workload.ts'
import { type Case, messageOf, type Run, START_MS, STEP_MS } from './case.ts'
import type { Latency, Sample } from './orders.ts'
import { type Figures, summary } from './result.ts'
import { Site } from './site.ts'

interface Contestant {
  readonly peer: string
  readonly site: Site
  readonly rounds: number[]
  count: number
  latency?: Latency | undefined
}

/** Runs the peers in turns, a round after the other. @returns Figures, or what went wrong. */
export async function measureRates(
  { workload }: Case,
  { unit, unitsEach = 1 }: RateWorkload,
  peers: readonly string[],
  { effort: { rounds, roundMs, warmMs }, tls, network, onStep }: Run,
): Promise<Map<string, Figures | { failed: string }>> {
  const outcomes = new Map<string, Figures | { failed: string }>()
  const contestants = new Set<Contestant>()
  const attempt = async (peer: string, step: () => Promise<unknown>): Promise<void> => {
    try {
      await step()
    } catch (error) {
      outcomes.set(peer, { failed: messageOf(error) })
      for (const contestant of contestants) {
        if (contestant.peer !== peer) continue
        contestant.site[Symbol.dispose]()
        contestants.delete(contestant)
      }
    }
  }
  try {
    for (const peer of peers) {
      onStep(`${workload}: starting ${peer}`, START_MS)
      await attempt(peer, async () => {
        contestants.add({ peer, site: await Site.start(peer, tls, network), rounds: [], count: 1 })
      })
    }
    for (const contestant of contestants) {
      onStep(`${workload}: warming up ${contestant.peer}`, warmMs + roundMs)
      await attempt(contestant.peer, async () => {
        contestant.count = await contestant.site.client.tell({ order: 'warm', workload, warmMs, roundMs }, STEP_MS)
      })
    }
    for (let round = 1; round <= rounds; round++) {
      // There and back again, so that nobody always follows the same other.
      for (const contestant of round % 2 === 0 ? [...contestants].reverse() : [...contestants]) {
        const { peer, site, count } = contestant
        onStep(`${workload}: round ${round} of ${rounds}, ${peer}`, roundMs)
        await attempt(peer, async () => {
          const { ms, latency } = await site.client.tell<Sample>({ order: 'round', workload, count }, STEP_MS)
          contestant.rounds.push((count * unitsEach * 1000) / ms)
          contestant.latency = latency
        })
      }
    }
    for (const { peer, rounds: values, latency } of contestants) {
      outcomes.set(peer, { ...summary(unit, values), ...(latency !== undefined && { latency }) })
    }
    return outcomes
  } finally {
    for (const { site } of contestants) site[Symbol.dispose]()
  }
}
