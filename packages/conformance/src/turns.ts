import { setImmediate as nextTurn } from 'node:timers/promises'

/** Lets timers and I/O have so many turns. */
export async function nextTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}
