import { isPromise } from './promise.ts'

/** What gives items one after the other: a generator, as a rule. */
export type ItemIterator = AsyncIterator<unknown> | Iterator<unknown>

/** Whether `value` can be iterated: a string can, too. */
export function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  const object = Object(value)
  return Symbol.asyncIterator in object || Symbol.iterator in object
}

/** The iterator of an iterable of either kind, `undefined` for anything else. */
export function iteratorOf(items: unknown): ItemIterator | undefined {
  const { [Symbol.asyncIterator]: asyncIterator, [Symbol.iterator]: iterator } = Object(items)
  if (typeof asyncIterator === 'function') return asyncIterator.call(items)
  if (typeof iterator === 'function') return iterator.call(items)
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
