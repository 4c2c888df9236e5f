import type { Peer } from '../channel/channel.ts'
import type { ContextValues } from '../context-values.ts'
import { RpcError } from '../error.ts'
import type { InterceptedCall, InterceptedNext } from '../interceptor/interceptor.ts'
import type { Metadata } from '../metadata.ts'
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
    const context = new InterceptedContext(call, peer)
    if (serverCall.over) throw new RpcError('cancelled', 'the call was cut short before its handler was called')
    const result = route.takesUpdates
      ? handler(request, updatesOf(serverCall, call.updates), context)
      : handler(request, context)
    if (!route.streams) return { response: await result }
    return { responses: await startedIterable(responseSource(serverCall, await result)) }
  }
}

/** The call as the interceptors passed it on, to its handler. */
class InterceptedContext implements Context {
  readonly method: string
  readonly metadata: Metadata
  readonly values: ContextValues
  readonly deadline: number | undefined
  readonly peer: Peer
  readonly #call: InterceptedCall

  constructor(call: InterceptedCall, peer: Peer) {
    this.method = call.method
    this.metadata = call.metadata
    this.values = call.values
    this.deadline = call.deadline
    this.peer = peer
    this.#call = call
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }
}

/** The updates as the interceptors passed them on; what they made is closed with the call. */
function updatesOf(serverCall: ServerCall, updates: AsyncIterable<unknown> | undefined): UpdateStream<unknown> {
  if (updates === undefined) throw new TypeError('an interceptor dropped the updates of a call that has some')
  const iterated = new IteratedUpdates(updates)
  serverCall.onOver(() => iterated.close())
  return checkedUpdates(iterated, serverCall.route.update)
}
