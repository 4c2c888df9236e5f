import { CaseBed } from './bed.ts'
import type { ConformanceCase } from './case.ts'
import { leftSince, openHandles } from './leftovers.ts'
import type { TransportUnderTest } from './transport.ts'
import { nextTurns } from './turns.ts'

/** After how long a case that hangs has failed, in ms, unless a run says otherwise. */
export const DEFAULT_TIMEOUT_MS = 10_000

/** How a case is run. */
export interface RunOptions {
  /** After how long a case that hangs has failed, in ms. Default: 10000. */
  readonly timeout?: number
}

/**
 * Runs one case on a fresh bed, closes everything, and checks that nothing is left: no timer, socket or other handle,
 * and no unhandled rejection. What the transport's `start` made stays, for the next case: `stop` is the caller's to call.
 *
 * @throws What the case throws, or an error that says what hung or was left behind.
 */
export async function runCase(
  transport: TransportUnderTest,
  conformanceCase: ConformanceCase,
  { timeout = DEFAULT_TIMEOUT_MS }: RunOptions = {},
): Promise<void> {
  await transport.start?.()
  const before = openHandles()
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): number => rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  try {
    const bed = await CaseBed.make(transport, conformanceCase.setup ?? {})
    try {
      await withTimeout(conformanceCase.run(bed), timeout, 'the case hangs')
    } catch (error) {
      // What a failed case leaves open says less than why it failed.
      await withTimeout(bed.close(), timeout, 'closing hangs').catch(() => {})
      throw error
    }
    await withTimeout(bed.close(), timeout, 'closing hangs')
  } finally {
    await nextTurns(2)
    process.off('unhandledRejection', onRejection)
  }
  if (rejections.length > 0) throw new Error('a rejection was left unhandled', { cause: rejections[0] })
  const left = await leftSince(before)
  if (left.length > 0) throw new Error(`handles were left open: ${left.join(', ')}`)
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
