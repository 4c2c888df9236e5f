import type { Population } from '../workloads/populations.ts'
import { type Case, messageOf, populationMs, populationRounds, type Run, STEP_MS } from './case.ts'
import { type Figures, median, summary } from './result.ts'
import { Site } from './site.ts'

/** What is opened before, so that code and buffers that come with the first ones are not counted. */
const WARM_UP = 100

interface Samples {
  readonly rates: number[]
  readonly client: number[]
  readonly server: number[]
}

/** Opens many of a kind and weighs both processes, in new ones each time: memory does not go back. */
export async function measurePopulations(
  { workload }: Case,
  { unit, count }: Population,
  peers: readonly string[],
  { effort, tls, network, onStep }: Run,
): Promise<Map<string, Figures | { failed: string }>> {
  const samples = new Map(peers.map((peer): [string, Samples] => [peer, { rates: [], client: [], server: [] }]))
  const failures = new Map<string, { failed: string }>()
  const rounds = populationRounds(effort.rounds)
  for (let round = 1; round <= rounds; round++) {
    for (const [peer, { rates, client, server }] of samples) {
      onStep(`${workload}: round ${round} of ${rounds}, ${peer}`, populationMs())
      try {
        using site = await Site.start(peer, tls, network)
        const populate = (number: number): Promise<number> =>
          site.client.tell({ order: 'populate', population: workload, count: number }, STEP_MS)
        await populate(WARM_UP)
        const before = await weigh(site)
        rates.push((count * 1000) / (await populate(count)))
        const after = await weigh(site)
        client.push((after.client - before.client) / count)
        server.push((after.server - before.server) / count)
      } catch (error) {
        failures.set(peer, { failed: messageOf(error) })
        samples.delete(peer)
      }
    }
  }
  const figures = [...samples].map(([peer, { rates, client, server }]): [string, Figures] => {
    const bytesEach = { client: Math.round(median(client)), server: Math.round(median(server)) }
    return [peer, { ...summary(unit, rates), bytesEach }]
  })
  return new Map<string, Figures | { failed: string }>([...failures, ...figures])
}

async function weigh(site: Site): Promise<{ client: number; server: number }> {
  const client = await site.client.tell<number>({ order: 'memory' }, STEP_MS)
  const server = (await site.server?.tell<number>({ order: 'memory' }, STEP_MS)) ?? 0
  return { client, server }
}
