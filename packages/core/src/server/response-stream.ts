import { ItemSource, isIterable } from '../iterator.ts'
import { asPromise } from '../promise.ts'
import type { ServerCall } from './server-call.ts'
import { validateResponse } from './validate-response.ts'

/** Sends what an iterable gives, at the client's pace, and closes it when the call is over before it is. */
export async function streamResponses(call: ServerCall, responses: unknown): Promise<void> {
  try {
    const later = asPromise(responses)
    const source = responseSource(call, later === undefined ? responses : await later)
    const { response: schema } = call.route
    while (!call.over) {
      const next = source.next()
      const result = next instanceof Promise ? source.took(await next) : next
      if (call.over) return
      if (result.done === true) {
        call.complete()
        return
      }
      const room = call.send(schema === undefined ? result.value : await validateResponse(schema, result.value), false)
      if (room !== undefined) await room
    }
  } catch (error) {
    call.fail(error)
  } finally {
    call.ended()
  }
}

/**
 * What a streaming handler returned, to be closed when the call is over.
 *
 * @throws TypeError when it is no iterable.
 */
export function responseSource(call: ServerCall, responses: unknown): ItemSource {
  if (!isIterable(responses)) {
    const { path } = call.route
    const name = path.slice(path.lastIndexOf('/') + 1)
    throw new TypeError(`the handler of ${path} must return an iterable: write it as \`async *${name}(...)\``)
  }
  const source = new ItemSource(responses, (error) => call.fail(error))
  call.onOver(() => source.close())
  return source
}

/**
 * The source as an iterable, after its first item has come or it has ended.
 *
 * @throws What the source threw before its first item.
 */
export async function startedIterable(source: ItemSource): Promise<AsyncIterable<unknown>> {
  let first: IteratorResult<unknown> | undefined = source.took(await source.next())
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const result = first ?? source.took(await source.next())
        first = undefined
        return result
      },
      return: async () => {
        source.close()
        return { value: undefined, done: true }
      },
    }),
  }
}
