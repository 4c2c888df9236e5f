import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Work } from './job.ts'

const NUMBERS_AT_ONCE = 5000

/** Counts primes in slices, so that cancels, and all else that the process does, get their turns in between. */
export function countPrimes({ upTo }: { upTo: number }): Work {
  return async (signal, progress) => {
    let primes = 0
    for (let n = 2; n <= upTo; n++) {
      if (isPrime(n)) primes++
      if (n % NUMBERS_AT_ONCE !== 0) continue
      progress(n / upTo)
      await nextTurn(undefined, { signal })
    }
    return primes
  }
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}
