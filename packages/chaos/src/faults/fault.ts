import { FAIR, type Manner, type Weather } from '../network/network.ts'
import type { Random } from '../random.ts'

/** How long faults last, in ms. */
export interface FaultTimes {
  /** From one to the next, at least. */
  readonly leastBetweenMs: number
  /** Further until the next one, if nothing comes through. */
  readonly betweenMs: number
  readonly blackholeMs: number
  /** How long a server is away. */
  readonly awayMs: number
  /** How long one that closes lets calls go on. */
  readonly graceMs: number
}

/** Something that goes wrong. */
export type Fault =
  | { readonly kind: 'cut'; readonly manner: Manner }
  | { readonly kind: 'cut after'; readonly direction: 'up' | 'down'; readonly bytes: number; readonly manner: Manner }
  | { readonly kind: 'blackhole'; readonly where: 'up' | 'down' | 'both'; readonly ms: number }
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'move' }
  | { readonly kind: 'kill'; readonly awayMs: number }
  | { readonly kind: 'restart'; readonly graceMs: number; readonly awayMs: number }

const MANNERS = ['reset', 'end', 'silence'] as const
const DIRECTIONS = ['up', 'down'] as const
// Enough for the larger messages to be cut in the middle, and some to be cut between two.
const MOST_BYTES_BEFORE_CUT = 40_000

export function planFault(random: Random, times: FaultTimes, hasNetwork: boolean): Fault {
  const dice = random.between(0, 99)
  if (!hasNetwork || dice >= 88) {
    const awayMs = random.between(0, times.awayMs)
    if (random.chance(0.6)) return { kind: 'kill', awayMs }
    return { kind: 'restart', awayMs, graceMs: random.between(0, times.graceMs) }
  }
  if (dice < 20) return { kind: 'cut', manner: random.pick(MANNERS) }
  if (dice < 45) {
    const bytes = random.scale(MOST_BYTES_BEFORE_CUT)
    return { kind: 'cut after', direction: random.pick(DIRECTIONS), bytes, manner: random.pick(MANNERS) }
  }
  if (dice < 60) {
    const ms = random.between(1, times.blackholeMs)
    return { kind: 'blackhole', where: random.pick(['up', 'down', 'both']), ms }
  }
  if (dice < 82) return { kind: 'weather', weather: planWeather(random) }
  return { kind: 'move' }
}

function planWeather(random: Random): Weather {
  if (random.chance(0.3)) return FAIR
  return {
    delayMs: random.scale(20),
    jitterMs: random.scale(10),
    loss: random.between(0, 8) / 100,
    duplicates: random.between(0, 5) / 100,
    corrupted: random.between(0, 3) / 100,
    blackhole: undefined,
  }
}
