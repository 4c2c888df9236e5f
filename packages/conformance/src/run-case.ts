import { CaseBed } from './bed.ts'
import type { ConformanceCase } from './case.ts'
import type { TransportUnderTest } from './transport.ts'
import { nextTurns } from './turns.ts'

/** How a case is run. */
export interface RunOptions {
  /** After how long a case that hangs has failed, in ms. Default: 10000. */
  readonly timeout?: number
}

/**
 * Runs one case on a fresh bed, closes everything, and checks that nothing is left: no timer, socket or other handle,
 * and no unhandled rejection.
 *
 * @throws What the case throws, or an error that says what hung or was left behind.
 */
export async function runCase(
  transport: TransportUnderTest,
  conformanceCase: ConformanceCase,
  { timeout = 10_000 }: RunOptions = {},
): Promise<void> {
  const before = openHandles()
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): number => rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  try {
    const bed = await CaseBed.make(transport, conformanceCase.setup ?? {})
    try {
      await withTimeout(conformanceCase.run(bed), timeout, 'the case hangs')
    } finally {
      await withTimeout(bed.close(), timeout, 'closing hangs')
    }
  } finally {
    await nextTurns(2)
    process.off('unhandledRejection', onRejection)
  }
  if (rejections.length > 0) throw new Error('a rejection was left unhandled', { cause: rejections[0] })
  await expectNothingLeft(before)
}

async function withTimeout(work: Promise<void>, timeout: number, text: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${text}: it did not end within ${timeout} ms`)), timeout)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How many handles of each kind keep the process alive. */
function openHandles(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** Handles go some turns after they were closed. Those that stay were forgotten. */
async function expectNothingLeft(before: ReadonlyMap<string, number>): Promise<void> {
  let left: string[] = []
  for (let turn = 0; turn < 200; turn++) {
    left = [...openHandles()]
      .filter(([kind, count]) => kind !== 'Immediate' && count > (before.get(kind) ?? 0))
      .map(([kind]) => kind)
    if (left.length === 0) return
    await nextTurns(1)
  }
  throw new Error(`handles were left open: ${left.join(', ')}`)
}
