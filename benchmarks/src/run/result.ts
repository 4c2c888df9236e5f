import type { Conditions } from '../network/conditions.ts'
import type { Latency } from './orders.ts'

/** How a peer did at a workload. */
export type Result = Measured | NotMeasured

interface About {
  readonly workload: string
  readonly title: string
  readonly peer: string
  /** The peer that it is compared with. */
  readonly baseline: string
  readonly conditions?: Conditions
  /** How the conditions were made. */
  readonly network?: string
}

/** What was measured: figures, and what they come from. */
export interface Measured extends About, Figures {
  /** To the baseline; none where that has no figures. */
  readonly ratio?: number
}

/** What was not, and why. */
export interface NotMeasured extends About {
  /** It has nothing of the kind. */
  readonly cannot?: string
  /** It should have, and did not. */
  readonly failed?: string
}

/** Figures of a peer at a workload. */
export interface Figures {
  readonly unit: string
  /** Of each round, in the unit. */
  readonly rounds: readonly number[]
  readonly median: number
  readonly lowest: number
  readonly highest: number
  /** Times of single operations over all rounds, in us. */
  readonly latency?: Latency
  /** Bytes that each of what was opened takes. */
  readonly bytesEach?: { readonly client: number; readonly server: number }
}

/** Figures out of rounds. */
export function summary(unit: string, rounds: readonly number[]): Figures {
  return { unit, rounds, median: median(rounds), lowest: Math.min(...rounds), highest: Math.max(...rounds) }
}

/** How much one is of the other: the median of the rounds' ratios, since what disturbs the machine hits both in a round. */
export function ratio(of: Figures, to: Figures): number {
  return median(of.rounds.map((value, round) => value / (to.rounds[round] ?? Number.NaN)))
}

/** The results, each with its ratio to the baseline among them. */
export function withRatios(results: readonly Result[]): Result[] {
  return results.map((result) => {
    const to = results.find(({ peer }) => peer === result.baseline)
    return isMeasured(result) && isMeasured(to) ? { ...result, ratio: ratio(result, to) } : result
  })
}

export function isMeasured(result: Result | undefined): result is Measured {
  return result !== undefined && 'rounds' in result
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}
