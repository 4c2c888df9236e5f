import { ItemSource } from '../iterator.ts'
import { type Schema, validate } from '../schema.ts'

/**
 * The updates of a call, as its handler reads them: with `for await`, or one by one. It ends when the client ends its
 * updates, and throws when the call is cut short, so that a half-sent stream is never taken for a whole one.
 */
export interface UpdateStream<Update> extends AsyncIterable<Update> {
  /**
   * The next update, or `undefined` at the end; a promise only where it must be waited for. One at a time.
   *
   * @throws RpcError why the call was cut short; `invalid_argument` for an update that the schema refuses.
   */
  receive(): Update | undefined | Promise<Update | undefined>
  /** Whether `receive` has returned the end: it tells the end from an update that is `undefined`. */
  readonly ended: boolean
}

/** The updates as the handler gets them: checked where there is a schema. */
export function checkedUpdates(updates: UpdateStream<unknown>, schema: Schema | undefined): UpdateStream<unknown> {
  return schema === undefined ? updates : new CheckedUpdates(updates, schema)
}

class CheckedUpdates implements UpdateStream<unknown> {
  readonly #updates: UpdateStream<unknown>
  readonly #schema: Schema

  constructor(updates: UpdateStream<unknown>, schema: Schema) {
    this.#updates = updates
    this.#schema = schema
  }

  get ended(): boolean {
    return this.#updates.ended
  }

  receive(): unknown {
    const update = this.#updates.receive()
    return update instanceof Promise ? update.then((arrived) => this.#check(arrived)) : this.#check(update)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    for await (const update of this.#updates) yield await validate(this.#schema, update, 'update')
  }

  #check(update: unknown): unknown {
    return this.#updates.ended ? undefined : validate(this.#schema, update, 'update')
  }
}

/** An update stream over any iterable: what an interceptor made of the updates. */
export class IteratedUpdates implements UpdateStream<unknown> {
  ended = false
  readonly #source: ItemSource

  constructor(updates: AsyncIterable<unknown>) {
    this.#source = new ItemSource(updates)
  }

  async receive(): Promise<unknown> {
    const result = this.#source.took(await this.#source.next())
    this.ended = result.done === true
    return result.value
  }

  close(): void {
    this.#source.close()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    try {
      for (let update = await this.receive(); !this.ended; update = await this.receive()) yield update
    } finally {
      this.close()
    }
  }
}
