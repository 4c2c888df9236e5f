import { isDeepStrictEqual } from 'node:util'
import { fibonacciBelow, multiplyAll, powers, sumOfSquares } from '../compute/client.ts'
import type { Run } from './phase.ts'
import { Progress } from './progress.ts'
import { count } from './table.ts'

const NUMBERS = Array.from({ length: 1_000 }, (_, i) => i)

/** Makes calls of each pattern, and checks the results. */
export async function computePhase({ client: { compute }, tally, options }: Run): Promise<void> {
  using progress = new Progress(`${tally.transport}: compute`, 4)
  const check = async (what: string, make: () => Promise<unknown>, expected: unknown): Promise<void> => {
    if (!isDeepStrictEqual(await tally.attempt(make), expected)) tally.fail(`${what} came out wrong`)
    progress.step()
  }
  const before = tally.calls
  await check('the sum of squares', () => sumOfSquares(compute, NUMBERS, options), 332_833_500)
  await check('the Fibonacci numbers', () => fibonacciBelow(compute, 20, options), [0, 1, 1, 2, 3, 5, 8, 13])
  const multiples = NUMBERS.map((n) => 7 * n)
  await check('the multiples', () => multiplyAll(compute, 7, NUMBERS, options), multiples)
  await check('the powers', () => powers(compute, 2, 10, options), [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
  progress.done(`${count(tally.calls - before)} calls`)
}
