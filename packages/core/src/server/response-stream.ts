import { closeIterator, type ItemIterator, iteratorOf } from '../iterator.ts'
import { isPromise } from '../promise.ts'
import type { ServerCall } from './server-call.ts'
import { validateResponse } from './validate-response.ts'

/** Sends what an iterable gives, at the client's pace, and closes it when the call is cut short. */
export async function streamResponses(call: ServerCall, responses: unknown): Promise<void> {
  let iterator: ItemIterator | undefined
  try {
    iterator = responseIterator(responses, call.route.path)
    const running = iterator
    call.onCutShort(() => closeIterator(running))
    const { response: schema } = call.route
    while (!call.over) {
      const next = running.next()
      const result = isPromise(next) ? await next : next
      if (call.over) break
      if (result.done === true) {
        call.complete()
        return
      }
      const room = call.channel.send(schema === undefined ? result.value : await validateResponse(schema, result.value))
      if (room !== undefined) await room
    }
  } catch (error) {
    if (iterator !== undefined && !call.over) closeIterator(iterator)
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
