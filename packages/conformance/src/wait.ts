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

// Longer than a message takes over loopback, with a process on each side of it.
const QUIET_MS = 20

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
