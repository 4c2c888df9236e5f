import type { Conditions } from '../network/conditions.ts'
import type { Network } from '../network/network.ts'
import type { PeerSettings } from '../peers/peer.ts'

/** One workload and the peers that do it beside each other. */
export interface Case {
  readonly kind: 'part' | 'population' | 'rate'
  readonly workload: string
  /** None for a part, which has contestants of its own. */
  readonly peers: readonly string[]
  readonly conditions?: Conditions
}

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number
  /** Time of one peer in one round, in ms. */
  readonly roundMs: number
  readonly warmMs: number
}

/** Conditions are many, and what is waited for is the network. */
export function effortUnder(conditions: Conditions | undefined, { rounds, roundMs, warmMs }: Effort): Effort {
  return conditions === undefined
    ? { rounds, roundMs, warmMs }
    : { rounds: Math.ceil(rounds / 3), roundMs: 2 * roundMs, warmMs: 500 }
}

/** What the run of a case needs to know. */
export interface Run {
  readonly effort: Effort
  readonly tls: PeerSettings['tls']
  readonly network: Network
  /** A step begins that was estimated at so many ms. */
  readonly onStep: (what: string, ms: number) => void
}

/** What a step may take at most. */
export const STEP_MS = 120_000
/** About what it takes to start the processes of a site. */
export const START_MS = 700

/** About how long a case takes, in ms. */
export function estimate({ kind, peers, conditions }: Case, effort: Effort): number {
  const { rounds, roundMs, warmMs } = effortUnder(conditions, effort)
  if (kind === 'part') return START_MS + 3 * roundMs * rounds
  if (kind === 'population') return peers.length * populationRounds(rounds) * populationMs()
  return peers.length * (START_MS + warmMs + roundMs * (rounds + 1))
}

/** About how long one population of one peer takes, in ms. */
export function populationMs(): number {
  return 4 * START_MS
}

/** Each takes processes of its own, and a few tell enough. */
export function populationRounds(rounds: number): number {
  return Math.ceil(rounds / 3)
}

/** An error's message, to be printed in a table. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
