import { setTimeout as sleep } from 'node:timers/promises'
import { chaos } from '../chaos.ts'
import type { FaultTimes } from '../faults/fault.ts'
import { SITES } from '../site.ts'
import { growths, type Sample, Sampler } from './samples.ts'

/** How long a soak is, and how close its samples. */
export interface SoakOptions {
  readonly seed: number
  readonly durationMs: number
  readonly sampleMs: number
  readonly onSample: (sample: Sample) => void
}

/** What came of a soak. */
export interface SoakReport {
  readonly samples: readonly Sample[]
  readonly calls: number
  /** How many things went wrong, as they were planned to. */
  readonly faults: number
  /** What happened that must not. */
  readonly wrongs: readonly string[]
}

// A few seconds between faults, so that most calls of a time are what they are without.
const TIMES: FaultTimes = { leastBetweenMs: 2000, betweenMs: 4000, blackholeMs: 1000, awayMs: 500, graceMs: 500 }
const CALLERS = 3
const REST_MS = 20

/** Makes calls on all sites at a time while things go wrong, and watches the process. */
export async function soak({ seed, durationMs, sampleMs, onSample }: SoakOptions): Promise<SoakReport> {
  const sampler = new Sampler()
  const end = new AbortController()
  let calls = 0
  let faults = 0
  const sampling = (async () => {
    while (!end.signal.aborted) {
      // The last sample is taken when the time is over: what comes then is no load any more.
      await sleep(sampleMs)
      onSample(sampler.sample())
      if ((sampler.samples.at(-1)?.at ?? 0) * 1000 >= durationMs) end.abort()
    }
  })()
  const wrongs = await chaos({
    seed,
    sites: SITES,
    atATime: SITES.length,
    faults: Number.POSITIVE_INFINITY,
    times: TIMES,
    callers: CALLERS,
    restMs: REST_MS,
    signal: end.signal,
    onFault: () => faults++,
    onSettled(outcome, { method, asked }, tookMs) {
      calls++
      const plain = method === 'echo' && outcome === 'success' && asked.stall === undefined
      sampler.onCall(plain ? tookMs : undefined)
    },
  })
  await sampling
  return { samples: sampler.samples, calls, faults, wrongs: [...wrongs, ...growths(sampler.samples)] }
}
