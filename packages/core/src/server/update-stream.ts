import { RpcError } from '../error.ts'
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

/** An update stream over any iterable: what an interceptor made of the updates. */
export function updateStream(updates: AsyncIterable<unknown> | undefined): UpdateStream<unknown> {
  if (updates === undefined)
    throw new RpcError('internal', 'an interceptor dropped the updates of a call that has some')
  return 'receive' in updates ? (updates as UpdateStream<unknown>) : new IteratedUpdates(updates)
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

class IteratedUpdates implements UpdateStream<unknown> {
  ended = false
  readonly #iterator: AsyncIterator<unknown>

  constructor(updates: AsyncIterable<unknown>) {
    this.#iterator = updates[Symbol.asyncIterator]()
  }

  async receive(): Promise<unknown> {
    const result = await this.#iterator.next()
    this.ended = result.done === true
    return result.value
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#iterator
  }
}
