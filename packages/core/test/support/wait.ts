import { setImmediate as nextTurn } from 'node:timers/promises'
import { RpcError } from '@qrpc/core'

/** A promise with its ends outside: what a handler and a test tell each other. */
export interface Gate<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function gate<T = void>(): Gate<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil
    reject = fail
  })
  return { promise, resolve, reject }
}

/** A promise that never settles. */
export function never(): Promise<never> {
  return new Promise(() => {})
}

/** Gives promises, timers that are due and I/O their turn. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

/** Resolves when the signal aborts, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }))
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

/** What the function throws, at once or later, which must be an `RpcError`. */
export function thrown(run: () => unknown): Promise<RpcError> {
  return failure((async () => run())())
}

/** All items of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** The rejections that nobody handled while the function ran and in the turns after it. */
export async function unhandled(run: () => unknown): Promise<unknown[]> {
  const found: unknown[] = []
  const note = (reason: unknown): void => {
    found.push(reason)
  }
  // In the place of the runner's own: the test looks at what was found, and that is where it fails.
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
  try {
    await run()
    await turns()
  } finally {
    process.off('unhandledRejection', note)
    for (const other of others) process.on('unhandledRejection', other)
  }
  return found
}
