import { expect } from 'vitest'

const BOUND_MS = 50

/**
 * Runs what must be done with after less than 50 ms of CPU, and gives its result. The process has other work, too, such as
 * compiling what runs for the first time: what takes longer has two more chances.
 */
export function expectCheap<R>(run: () => R): R {
  const spent: number[] = []
  for (;;) {
    const before = process.cpuUsage()
    const result = run()
    const { user, system } = process.cpuUsage(before)
    spent.push((user + system) / 1000)
    if (spent.length < 3 && Math.min(...spent) >= BOUND_MS) continue
    expect(Math.min(...spent)).toBeLessThan(BOUND_MS)
    return result
  }
}
