import { asPromise } from './promise.ts'

type ItemIterator = AsyncIterator<unknown> | Iterator<unknown>
type ItemResult = IteratorResult<unknown>

/** Whether `value` can be iterated: a string can, too. */
export function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  const object = Object(value)
  return Symbol.asyncIterator in object || Symbol.iterator in object
}

/** What gives items one after the other, a generator as a rule, and is closed once: at its end, or by who takes them. */
export class ItemSource {
  private readonly iterator: ItemIterator
  private readonly onError: ((error: unknown) => void) | undefined
  private ended = false
  private closed = false
  private running = false

  /** @param onError Told what the iterator throws when it is closed: there is nobody else to hear it. */
  constructor(items: AsyncIterable<unknown> | Iterable<unknown>, onError?: (error: unknown) => void) {
    this.iterator =
      Symbol.asyncIterator in Object(items)
        ? (items as AsyncIterable<unknown>)[Symbol.asyncIterator]()
        : (items as Iterable<unknown>)[Symbol.iterator]()
    this.onError = onError
  }

  /** The next item, as a promise where it must be waited for. */
  next(): ItemResult | Promise<ItemResult> {
    this.running = true
    try {
      const result = this.iterator.next()
      const later = asPromise(result) as Promise<ItemResult> | undefined
      return later ?? this.took(result as ItemResult)
    } catch (error) {
      this.ended = true
      throw error
    } finally {
      this.running = false
      // A generator that is on the stack cannot be closed: what ran inside it asked for that.
      if (this.closed) this.finish()
    }
  }

  /** Notes what `next` gave, whose promise has been awaited. */
  took(result: ItemResult): ItemResult {
    if (result.done === true) this.ended = true
    return result
  }

  /** Notes that the promise of `next` was rejected: an iterator that threw needs no closing. */
  failed(): void {
    this.ended = true
  }

  /** Lets a generator run its `finally`. A no-op after the end, or a second time. */
  close(): void {
    if (this.closed) return
    this.closed = true
    if (!this.running) this.finish()
  }

  private finish(): void {
    if (this.ended) return
    this.ended = true
    try {
      asPromise(this.iterator.return?.())?.catch((error: unknown) => this.onError?.(error))
    } catch (error) {
      this.onError?.(error)
    }
  }
}
