/** One way to do a workload. */
export interface Contestant {
  readonly name: string
  /** Does the work `count` times. */
  run(count: number): Promise<unknown>
}

/** Contestants for the same work, of which the first is the baseline. */
export interface Workload {
  readonly name: string
  readonly contestants: readonly Contestant[]
}

/** How a contestant did. */
export interface Result {
  readonly workload: string
  readonly name: string
  /** Median of the rounds, in operations a second. */
  readonly rate: number
  /** Lowest and highest of the rounds. */
  readonly lowest: number
  readonly highest: number
  /** Median of the rounds' ratios to the baseline. */
  readonly ratio: number
}

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number
  /** Time of one contestant in one round, in ms. */
  readonly roundMs: number
}

/**
 * Runs the contestants in turns, a round after the other, so that what else the machine does hits all alike; ratios are
 * taken round by round.
 */
export async function measure(workload: Workload, { rounds, roundMs }: Effort): Promise<Result[]> {
  const counts: number[] = []
  for (const contestant of workload.contestants) counts.push(await calibrate(contestant, roundMs))
  const rates = workload.contestants.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of workload.contestants.entries()) {
      rates[i]?.push(await rateOf(contestant, counts[i] ?? 1))
    }
  }
  const baseline = rates[0] ?? []
  return workload.contestants.map(({ name }, i) => {
    const own = rates[i] ?? []
    return {
      workload: workload.name,
      name,
      rate: median(own),
      lowest: Math.min(...own),
      highest: Math.max(...own),
      ratio: median(own.map((rate, round) => rate / (baseline[round] ?? Number.NaN))),
    }
  })
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
