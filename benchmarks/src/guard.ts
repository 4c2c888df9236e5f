import { casesOfFloors, FLOORS, isFarBelow, type Standing, standings } from './floors.ts'
import type { Case, Effort } from './run/case.ts'
import { Progress } from './run/progress.ts'
import type { Result } from './run/result.ts'
import { estimateAll, runSuite } from './suite.ts'

/** On a machine that has others on it noise may take a third of a ratio of medians, but not half of it, four times over. */
const MARGIN = 0.5
const REPEATS = 3

/** The floors that are missed by far, each time that they are measured. */
export async function checkFloors(
  results: readonly Result[],
  cases: readonly Case[],
  effort: Effort,
): Promise<Standing[]> {
  let missed = standings(results).filter((standing) => isFarBelow(standing, MARGIN))
  for (let repeat = 1; repeat <= REPEATS && missed.length > 0; repeat++) {
    const again = casesOfFloors(
      cases,
      FLOORS.filter((floor) => missed.some((miss) => isSame(miss, floor))),
    )
    console.error(`Missed by far: ${missed.map(describe).join('; ')}. Measuring again, ${repeat} of ${REPEATS}.`)
    const progress = new Progress(estimateAll(again, effort))
    const now = standings(await runSuite(again, effort, progress))
    progress.end()
    missed = now.filter((standing) => isFarBelow(standing, MARGIN) && missed.some((miss) => isSame(miss, standing)))
  }
  return missed
}

/** Says how a floor is missed. */
export function describe({ workload, peer, versus, atLeast, ratio }: Standing): string {
  return `${workload}, ${peer} / ${versus} ${ratio?.toFixed(2) ?? 'not measured'} (at least ${atLeast})`
}

function isSame(a: Pick<Standing, 'workload' | 'peer' | 'versus'>, b: typeof a): boolean {
  return a.workload === b.workload && a.peer === b.peer && a.versus === b.versus
}
