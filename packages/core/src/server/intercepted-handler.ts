import type { InterceptedNext } from '../interceptor/interceptor.ts'
import { closeIterator } from '../iterator.ts'
import { validate } from '../schema.ts'
import type { Context } from './context.ts'
import { responseIterator, startedIterable } from './response-stream.ts'
import type { ServerCall } from './server-call.ts'
import { checkedUpdates, updateStream } from './update-stream.ts'

/** The end of a call's way through the server's interceptors: its handler, whose context is the call as they passed it on. */
export function handlerAtEnd(serverCall: ServerCall): InterceptedNext {
  const { route, peer } = serverCall
  return async (call) => {
    const { handler } = route
    const request = route.request === undefined ? call.request : await validate(route.request, call.request, 'request')
    const context: Context = {
      method: call.method,
      metadata: call.metadata,
      values: call.values,
      deadline: call.deadline,
      peer,
      get signal() {
        return call.signal
      },
    }
    const result = route.takesUpdates
      ? handler(request, checkedUpdates(updateStream(call.updates), route.update), context)
      : handler(request, context)
    if (!route.streams) return { response: await result }
    const iterator = responseIterator(await result, route.path)
    // An interceptor may lose interest in the responses, or fail: then nobody else closes them.
    serverCall.onOver(() => closeIterator(iterator))
    return { responses: await startedIterable(iterator) }
  }
}
