import { setImmediate as nextTurn } from 'node:timers/promises'
import { RpcError } from '@qrpc/core'
import { expect } from 'vitest'

/** A promise with its two ends outside: what a handler and a case tell each other. */
export interface Signal<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

export function signal<T = void>(): Signal<T> {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}

/** Resolves when the signal aborts, with its reason. */
export function aborted(abort: AbortSignal): Promise<unknown> {
  if (abort.aborted) return Promise.resolve(abort.reason)
  return new Promise((resolve) => abort.addEventListener('abort', () => resolve(abort.reason), { once: true }))
}

/** What the promise is rejected with, which must be an `RpcError`. */
export async function failure(outcome: unknown): Promise<RpcError> {
  let error: unknown
  try {
    const value = await outcome
    error = new Error(`there was to be an error, but it went well with ${String(value)}`)
  } catch (thrown) {
    error = thrown
  }
  if (error instanceof RpcError) return error
  throw error
}

/** What a function throws, at once or later; it must be an `RpcError`. */
export function thrown(run: () => unknown): Promise<RpcError> {
  return failure((async () => run())())
}

/** All items of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

// The watchdog of the case has bitten by then; what it left behind must not take the time of all cases after it.
const LONGEST_WAIT_MS = 20_000

/** Lets the event loop turn until the condition holds. A case in which it never does hangs. */
export async function until(condition: () => boolean): Promise<void> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > LONGEST_WAIT_MS) throw new Error('what was waited for did not come')
    await nextTurn()
  }
}

// Longer than a message takes over loopback and through a relay, with a process on each side of it.
const QUIET_MS = 40

/** Lets the event loop turn until the count has stayed as it is for a while: what could happen has happened. */
export async function settled(count: () => number): Promise<number> {
  let last = count()
  for (let since = performance.now(); performance.now() - since < QUIET_MS; ) {
    await nextTurn()
    if (count() === last) continue
    last = count()
    since = performance.now()
  }
  return last
}

// A transport without a window would otherwise keep timers, and with them the end of the case, out for good.
const SENDS_PER_TURN = 1024

/** Sends until a message waits for room, and goes on when there is some; `sending` fails as the last message does. */
export async function filled(send: () => Promise<void> | undefined): Promise<{ readonly sending: Promise<never> }> {
  let sent = 0
  const sending = (async (): Promise<never> => {
    for (;;) {
      await send()
      if (++sent % SENDS_PER_TURN === 0) await nextTurn()
    }
  })()
  sending.catch(() => {})
  await until(() => sent > 0)
  await settled(() => sent)
  return { sending }
}

/** The numbers from 0 up to, but not including, `count`. */
export function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n
}

/** Numbers without end, at the pace of whoever takes them. */
export async function* endless(): AsyncGenerator<number> {
  for (let n = 0; ; n++) yield n
}

/** The error as a peer may see it: nothing of the other side's but code, message, name and data. */
export function expectStatus(error: RpcError, code: string, message?: string | RegExp): void {
  expect(error).toBeInstanceOf(RpcError)
  expect(error.code).toBe(code)
  if (message !== undefined) expect(error.message).toMatch(message)
}
