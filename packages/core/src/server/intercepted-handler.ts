import { RpcError } from '../error.ts'
import type { InterceptedNext } from '../interceptor/interceptor.ts'
import { validate } from '../schema.ts'
import type { Context } from './context.ts'
import { responseSource, startedIterable } from './response-stream.ts'
import type { ServerCall } from './server-call.ts'
import { checkedUpdates, IteratedUpdates, type UpdateStream } from './update-stream.ts'

/** The end of a call's way through the server's interceptors: its handler, whose context is the call as they passed it on. */
export function handlerAtEnd(serverCall: ServerCall): InterceptedNext {
  const { route, peer } = serverCall
  return async (call) => {
    const { handler } = route
    const request = route.request === undefined ? call.request : await validate(route.request, call.request, 'request')
    const context: Context = {
      method: call.method,
      get metadata() {
        return call.metadata
      },
      get values() {
        return call.values
      },
      deadline: call.deadline,
      peer,
      get signal() {
        return call.signal
      },
    }
    if (serverCall.over) throw new RpcError('cancelled', 'the call was cut short before its handler was called')
    const result = route.takesUpdates
      ? handler(request, updatesOf(serverCall, call.updates), context)
      : handler(request, context)
    if (!route.streams) return { response: await result }
    return { responses: await startedIterable(responseSource(serverCall, await result)) }
  }
}

/** The updates as the interceptors passed them on; what they made is closed with the call. */
function updatesOf(serverCall: ServerCall, updates: AsyncIterable<unknown> | undefined): UpdateStream<unknown> {
  if (updates === undefined) throw new TypeError('an interceptor dropped the updates of a call that has some')
  const iterated = new IteratedUpdates(updates)
  serverCall.onOver(() => iterated.close())
  return checkedUpdates(iterated, serverCall.route.update)
}
