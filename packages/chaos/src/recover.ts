import type { Caller } from './calls/caller.ts'
import { METHODS, planCalmCall } from './calls/plan.ts'
import type { Ledger } from './ledger.ts'
import type { PatientClock } from './patient-clock.ts'
import type { Site } from './site.ts'

/** How long it may take until all is well again once nothing goes wrong any more, in ms. */
export const RECOVERY_MS = 15_000

/** Sees to it that calls of each kind go well again, and that what others have begun comes to its end. */
export async function recover(
  { channels, targets }: Site,
  caller: Caller,
  ledger: Ledger,
  clock: PatientClock,
  withinMs: number,
): Promise<void> {
  const end = clock.now + withinMs
  for (const method of METHODS) {
    while ((await caller.call(planCalmCall(ledger.nextId(), method))) !== 'success') {
      if (clock.now > end) {
        ledger.wrong(`${method} does not go well again, ${withinMs} ms after all was well: ${caller.lastFailure}`)
        break
      }
      await clock.sleep(0)
    }
  }
  const idle = (): boolean => {
    for (const { node } of targets) node.catchUp()
    return (
      channels.at('client') === 0 && channels.at('server') === 0 && ledger.running === 0 && caller.openSources === 0
    )
  }
  if (await clock.within(withinMs, idle)) return
  for (const side of ['client', 'server'] as const) {
    const open = channels.at(side)
    if (open > 0) ledger.wrong(`${open} channels are left open at the ${side}s, over ${channels.over(side)}`)
  }
  if (ledger.running > 0) ledger.wrong(`${ledger.running} handlers run on though their calls are over`)
  if (caller.openSources > 0) ledger.wrong(`${caller.openSources} iterables of updates are left open`)
}
