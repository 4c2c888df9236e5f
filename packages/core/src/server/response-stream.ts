import { closeIterator, type ItemIterator, iteratorOf } from '../iterator.ts'
import { isPromise } from '../promise.ts'
import type { ServerCall } from './server-call.ts'
import { validateResponse } from './validate-response.ts'

/** Sends what an iterable gives, at the client's pace, and closes it when the call is over before it is. */
export async function streamResponses(call: ServerCall, responses: unknown): Promise<void> {
  try {
    const iterator = responseIterator(isPromise(responses) ? await responses : responses, call.route.path)
    let ended = false
    call.onOver(() => {
      if (!ended) closeIterator(iterator)
    })
    const { response: schema } = call.route
    while (!call.over) {
      const next = iterator.next()
      const result = isPromise(next) ? await next : next
      if (call.over) return
      if (result.done === true) {
        ended = true
        call.complete()
        return
      }
      const room = call.channel.send(schema === undefined ? result.value : await validateResponse(schema, result.value))
      if (room !== undefined) await room
    }
  } catch (error) {
    call.fail(error)
  }
}

/** @throws TypeError when a streaming handler returned something else than an iterable. */
export function responseIterator(responses: unknown, path: string): ItemIterator {
  const iterator = iteratorOf(responses)
  if (iterator !== undefined) return iterator
  const name = path.slice(path.lastIndexOf('/') + 1)
  throw new TypeError(`the handler of ${path} must return an iterable: write it as \`async *${name}(...)\``)
}

/**
 * The iterator as an iterable, after its first item has come or it has ended.
 *
 * @throws What the iterator threw before its first item.
 */
export async function startedIterable(iterator: ItemIterator): Promise<AsyncIterable<unknown>> {
  let first: IteratorResult<unknown> | undefined = await iterator.next()
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (first === undefined) return iterator.next()
        const result = first
        first = undefined
        return result
      },
      return: async () => (await iterator.return?.()) ?? { value: undefined, done: true },
    }),
  }
}
