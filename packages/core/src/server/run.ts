import { RpcError } from '../error.ts'
import type { InterceptedNext } from '../interceptor/interceptor.ts'
import { OriginalCall } from '../interceptor/original-call.ts'
import { takenOnce } from '../interceptor/taken-once.ts'
import { asPromise } from '../promise.ts'
import { validate } from '../schema.ts'
import { streamResponses } from './response-stream.ts'
import type { ServerCall } from './server-call.ts'
import { checkedUpdates } from './update-stream.ts'
import { validateResponse } from './validate-response.ts'

/**
 * Runs a call's handler and answers with what comes of it. Never throws, never rejects.
 *
 * @param through The interceptors with the handler at their end, where there are any.
 */
export function runCall(call: ServerCall, through: InterceptedNext | undefined): void {
  if (call.over) return
  try {
    if (!call.route.takesUpdates && !expectEnd(call)) return
    if (through !== undefined) void runIntercepted(call, through)
    else if (call.route.request === undefined) settle(call, handlerResult(call, call.request.message))
    else {
      const request = validate(call.route.request, call.request.message, 'request')
      if (request instanceof Promise)
        request.then((checked) => !call.over && settle(call, handlerResult(call, checked))).catch((e) => call.fail(e))
      else settle(call, handlerResult(call, request))
    }
  } catch (error) {
    call.fail(error)
  }
}

async function runIntercepted(call: ServerCall, through: InterceptedNext): Promise<void> {
  call.begin()
  try {
    const { method, metadata, values, deadline, peer } = call
    const { pattern, takesUpdates, streams } = call.route
    const request = call.request.message
    const updates = takesUpdates ? takenOnce(call.channel) : undefined
    const original = new OriginalCall(
      { method, pattern, metadata, values, deadline, peer, request, updates },
      call.cutOff,
    )
    const result = await through(original)
    settle(call, streams ? result.responses : result.response)
  } catch (error) {
    call.fail(error)
  }
}

function handlerResult(call: ServerCall, message: unknown): unknown {
  const { handler, takesUpdates, update } = call.route
  call.begin()
  if (!takesUpdates) return handler(message, call)
  return handler(message, checkedUpdates(call.channel, update), call)
}

/** Answers with what a handler returned. */
function settle(call: ServerCall, result: unknown): void {
  if (call.route.streams) {
    void streamResponses(call, result)
    return
  }
  const later = asPromise(result)
  if (later === undefined) answer(call, result)
  else {
    later.then(
      (response) => answer(call, response),
      (error) => call.fail(error),
    )
  }
}

function answer(call: ServerCall, response: unknown): void {
  const { response: schema, pattern } = call.route
  if (pattern === 'notify') call.complete()
  else if (schema === undefined) call.respond(response)
  else {
    try {
      const checked = validateResponse(schema, response)
      if (checked instanceof Promise) checked.then((value) => call.respond(value)).catch((error) => call.fail(error))
      else call.respond(checked)
    } catch (error) {
      call.fail(error)
    }
  }
}

/** A method without updates has nothing to receive after the request: false when there is something all the same. */
function expectEnd(call: ServerCall): boolean {
  const extra = call.channel.receive()
  if (extra === undefined && call.channel.ended) return true
  if (!(extra instanceof Promise)) return refuseExtra(call)
  // The end is on its way, as a rule: the call need not wait for it.
  extra.then(() => call.channel.ended || refuseExtra(call), ignore)
  return true
}

function refuseExtra(call: ServerCall): false {
  const error = new RpcError('invalid_argument', `${call.route.path} takes one request and no updates`)
  call.report(error)
  call.abort(error)
  return false
}

function ignore(): void {}
