import { expect } from 'vitest'

/** Runs what must be done with after less than 50 ms of CPU, and gives its result. */
export function expectCheap<R>(run: () => R): R {
  const before = process.cpuUsage()
  try {
    return run()
  } finally {
    const u=process.cpuUsage(before); if (u.user+u.system>8000) console.log('CPU',(u.user+u.system)/1000)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(50)
  }
}
