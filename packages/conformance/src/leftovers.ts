import { nextTurns } from './turns.ts'

const TURNS = 200
// A socket goes when its other end does, too, which may be in another process.
const PATIENCE_MS = 500

/** How many handles of each kind keep the process alive. */
export function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** The kinds of handles that there are more of than before, and that stay: they were forgotten. */
export async function leftSince(before: ReadonlyMap<string, number>): Promise<string[]> {
  let left = leftNow(before)
  for (let turn = 0; left.length > 0 && turn < TURNS; turn++) {
    await nextTurns(1)
    left = leftNow(before)
  }
  // A timer is not waited for: it goes by itself, or another one does and hides it.
  const start = performance.now()
  while (left.length > 0 && !left.includes('Timeout') && performance.now() - start < PATIENCE_MS) {
    await nextTurns(1)
    left = leftNow(before)
  }
  return left
}

function leftNow(before: ReadonlyMap<string, number>): string[] {
  return [...openHandles()]
    .filter(([kind, count]) => kind !== 'Immediate' && count > (before.get(kind) ?? 0))
    .map(([kind]) => kind)
}
