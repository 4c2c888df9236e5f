import { LOOPBACK } from './network/network.ts'
import { type Case, type Effort, estimate } from './run/case.ts'
import { makeCertificate } from './run/certificate.ts'
import type { Progress } from './run/progress.ts'
import type { Result } from './run/result.ts'
import { runCase } from './run/run-case.ts'

/** About how long the cases take, in ms. */
export function estimateAll(cases: readonly Case[], effort: Effort): number {
  return cases.reduce((total, each) => total + estimate(each, effort), 0)
}

/** Runs the cases one after the other. */
export async function runSuite(
  cases: readonly Case[],
  effort: Effort,
  progress: Progress,
  onResults: (results: readonly Result[]) => void = () => {},
): Promise<Result[]> {
  const tls = await makeCertificate([LOOPBACK])
  const results: Result[] = []
  for (const each of cases) {
    const measured = await runCase(each, { effort, tls, onStep: (what, ms) => progress.step(what, ms) })
    results.push(...measured)
    onResults(measured)
  }
  return results
}
