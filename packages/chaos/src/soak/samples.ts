import { openHandles } from '@qrpc/conformance/leftovers'

/** How the process was in a stretch of time. */
export interface Sample {
  /** Since the start, in s. */
  readonly at: number
  /** Memory of the process, in MiB. */
  readonly rss: number
  /** What objects take of it once garbage is collected, in MiB. */
  readonly heap: number
  readonly handles: number
  /** Unary calls that went well, in ms. */
  readonly p50: number
  readonly p99: number
  readonly calls: number
}

const MIB = 1024 * 1024

/** Takes the latencies of calls, and samples of the process. */
export class Sampler {
  readonly samples: Sample[] = []
  readonly #start = performance.now()
  #latencies: number[] = []
  #calls = 0

  onCall(latencyMs: number | undefined): void {
    this.#calls++
    if (latencyMs !== undefined) this.#latencies.push(latencyMs)
  }

  sample(): Sample {
    globalThis.gc?.()
    const latencies = this.#latencies.toSorted((a, b) => a - b)
    const { rss, heapUsed } = process.memoryUsage()
    const sample: Sample = {
      at: (performance.now() - this.#start) / 1000,
      rss: rss / MIB,
      heap: heapUsed / MIB,
      handles: [...openHandles().values()].reduce((sum, count) => sum + count, 0),
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      calls: this.#calls,
    }
    this.samples.push(sample)
    this.#latencies = []
    this.#calls = 0
    return sample
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** By how much something may have grown from the second fifth of the time to the last: a share of it, and so much more. */
const MAY_GROW = {
  rss: { share: 0.1, more: 20 },
  heap: { share: 0.1, more: 5 },
  handles: { share: 0.25, more: 20 },
  p99: { share: 1, more: 50 },
} as const

/** What grew that was to stay flat. */
export function growths(samples: readonly Sample[]): string[] {
  const fifth = Math.floor(samples.length / 5)
  // The first one is for pools to fill and code to be compiled.
  const early = samples.slice(fifth, 2 * fifth)
  const late = samples.slice(-fifth)
  if (fifth === 0) return ['there are too few samples to tell']
  return Object.entries(MAY_GROW).flatMap(([key, { share, more }]) => {
    const [before, after] = [early, late].map((part) => median(part.map((sample) => sample[key as keyof Sample])))
    if (before === undefined || after === undefined || after <= before * (1 + share) + more) return []
    return [`${key} has grown from ${before.toFixed(1)} to ${after.toFixed(1)}`]
  })
}

function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
