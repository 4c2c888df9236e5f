import { isPromise } from './promise.ts'

/** What gives items one after the other: a generator, as a rule. */
export type ItemIterator = AsyncIterator<unknown> | Iterator<unknown>

/** The iterator of an iterable of either kind, `undefined` for anything else. */
export function iteratorOf(items: unknown): ItemIterator | undefined {
  if (typeof items !== 'object' || items === null) return undefined
  if (Symbol.asyncIterator in items) return (items as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  if (Symbol.iterator in items) return (items as Iterable<unknown>)[Symbol.iterator]()
  return undefined
}

/** Lets a generator run its `finally`. What it throws there has nobody left to hear it. */
export function closeIterator(iterator: ItemIterator | undefined): void {
  try {
    const returned: unknown = iterator?.return?.()
    if (isPromise(returned)) returned.catch(ignore)
  } catch {
    // As above.
  }
}

function ignore(): void {}
