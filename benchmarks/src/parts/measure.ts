import type { Effort } from '../run/case.ts'

/** One way to do a workload. */
export interface Contestant {
  readonly name: string
  /** Does the work `count` times. */
  run(count: number): Promise<unknown>
}

/** Contestants for the same work within one process, of which the first is the baseline. */
export interface Part {
  readonly title: string
  readonly contestants: readonly Contestant[]
}

/** How a contestant did, in operations a second of each round. */
export interface Rates {
  readonly name: string
  readonly rounds: number[]
}

/** Runs the contestants in turns, a round after the other, so that what else the machine does hits all alike. */
export async function measure(part: Part, { rounds, roundMs }: Pick<Effort, 'rounds' | 'roundMs'>): Promise<Rates[]> {
  const counts: number[] = []
  for (const contestant of part.contestants) counts.push(await calibrate(contestant, roundMs))
  const rates = part.contestants.map(({ name }): Rates => ({ name, rounds: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of part.contestants.entries()) {
      rates[i]?.rounds.push(await rateOf(contestant, counts[i] ?? 1))
    }
  }
  return rates
}

async function rateOf(contestant: Contestant, count: number): Promise<number> {
  const start = performance.now()
  await contestant.run(count)
  return (count / (performance.now() - start)) * 1000
}

/** How often the work fits into the time, once it is warm. */
async function calibrate(contestant: Contestant, roundMs: number): Promise<number> {
  let count = 100
  for (let rate = 0; ; count *= 2) {
    rate = await rateOf(contestant, count)
    if (count / rate > roundMs / 4000) {
      await contestant.run(count)
      return Math.ceil(((await rateOf(contestant, count)) * roundMs) / 1000)
    }
  }
}
