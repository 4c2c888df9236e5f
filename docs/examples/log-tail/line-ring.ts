import { EventEmitter, once } from 'node:events'
import type { LogItem } from './contract.ts'

/**
 * The last lines of a log, for any number of readers: each has only a place in it. Lines come in as fast as the fastest
 * reader takes them; those who fall behind by more than is kept skip some.
 */
export class LineRing {
  readonly #lines: string[] = []
  readonly #capacity: number
  readonly #half: number
  readonly #events = new EventEmitter<{ more: []; read: [] }>().setMaxListeners(0)
  #end = 0
  // Where the fastest reader is.
  #furthest = 0
  #failure: Error | undefined = undefined

  /** @param capacity Lines that are kept, 2 or more. */
  constructor(capacity: number) {
    this.#capacity = capacity
    this.#half = Math.floor(capacity / 2)
  }

  /** Lines from before there were readers. */
  begin(lines: readonly string[]): void {
    this.#push(lines.slice(-this.#capacity))
    this.#furthest = this.#end
  }

  /** Adds lines, and resolves when there is room for more. @throws AbortError (as a rejection) when the signal aborts. */
  async add(lines: readonly string[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < lines.length; at += this.#half) {
      this.#push(lines.slice(at, at + this.#half))
      while (this.#end - this.#furthest > this.#half) await once(this.#events, 'read', { signal })
    }
  }

  /** Ends all readers with an error. */
  fail(error: Error): void {
    this.#failure = error
    this.#events.emit('more')
  }

  /**
   * The last lines, and then those that are added, without end.
   *
   * @throws AbortError when the signal aborts; what the ring {@link fail}ed with.
   */
  async *read(last: number, signal: AbortSignal): AsyncGenerator<LogItem, void, undefined> {
    for (let next = Math.max(this.#end - last, this.#first); ; ) {
      while (next === this.#end) {
        if (this.#failure !== undefined) throw this.#failure
        await once(this.#events, 'more', { signal })
      }
      if (next < this.#first) {
        yield { kind: 'skipped', lines: this.#first - next }
        next = this.#first
      } else {
        yield { kind: 'line', text: this.#lines[next % this.#capacity] ?? '' }
        next++
      }
      if (next <= this.#furthest) continue
      this.#furthest = next
      this.#events.emit('read')
    }
  }

  get #first(): number {
    return Math.max(0, this.#end - this.#capacity)
  }

  #push(lines: readonly string[]): void {
    for (const line of lines) this.#lines[this.#end++ % this.#capacity] = line
    if (lines.length > 0) this.#events.emit('more')
  }
}
