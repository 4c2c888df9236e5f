import type { Connector, OpenOptions } from '../channel/channel.ts'
import { PendingChannel } from '../channel/pending-channel.ts'
import type { Method } from '../contract/method.ts'
import { RpcError } from '../error.ts'
import { interceptedSingle } from '../interceptor/intercepted-calls.ts'
import type { InterceptedNext } from '../interceptor/interceptor.ts'
import { isIterable } from '../iterator.ts'
import { PlainRequest } from '../request.ts'
import type { CallOptions } from './call-options.ts'
import { CallScope } from './call-scope.ts'
import { BidiStream, ClientStream, ServerStream } from './calls.ts'
import { sendUpdates } from './update-sender.ts'

/** A member of a client. What it takes and returns is typed by the contract. */
export type ClientFunction = (message?: unknown, second?: unknown, third?: unknown) => unknown

/** What the functions of a client call with. */
export interface Caller {
  readonly connector: Connector
  /** The interceptors, for calls of one message each way. Streaming calls find them behind the connector. */
  readonly through: InterceptedNext | undefined
}

export function unary(method: Method, { connector, through }: Caller): ClientFunction {
  if (through !== undefined) return interceptedFunction(method, through)
  const path = method.path
  const { idempotent } = method.schemas
  const open: OpenOptions = { method: path, pattern: 'unary', idempotent, metadata: undefined, signal: undefined }
  return (message, options) => {
    if (options !== undefined)
      return scoped(method, options, (scope) => scope.open(connector, message, true).receiveOnly())
    // A call that nothing can cut short needs no scope: this is the way that costs next to nothing.
    try {
      const opened = connector.open(open)
      const channel = opened instanceof Promise ? new PendingChannel(opened) : opened
      try {
        void channel.send(new PlainRequest(path, message), true)
      } catch (error) {
        const failure = RpcError.from(error, 'internal')
        channel.cancel(failure)
        throw failure
      }
      return channel.receiveOnly()
    } catch (error) {
      return Promise.reject(RpcError.from(error, 'unavailable'))
    }
  }
}

export function clientStreaming(method: Method, { connector }: Caller): ClientFunction {
  return (message, second, third) => {
    if (isIterable(second)) {
      return scoped(method, third, (scope) => {
        const channel = scope.open(connector, message, false)
        const response = channel.receiveOnly()
        void sendUpdates(scope, channel, second)
        return response
      })
    }
    const scope = new CallScope(method, second as CallOptions | undefined)
    return new ClientStream(scope, scope.open(connector, message, false))
  }
}

export function serverStreaming(method: Method, { connector }: Caller): ClientFunction {
  return (message, options) => {
    const scope = new CallScope(method, options as CallOptions | undefined)
    return new ServerStream(scope, scope.open(connector, message, true))
  }
}

export function bidiStreaming(method: Method, { connector }: Caller): ClientFunction {
  return (message, second, third) => {
    const updates = isIterable(second) ? second : undefined
    const scope = new CallScope(method, (updates === undefined ? second : third) as CallOptions | undefined)
    const channel = scope.open(connector, message, false)
    if (updates === undefined) return new BidiStream(scope, channel)
    void sendUpdates(scope, channel, updates)
    return new ServerStream(scope, channel)
  }
}

export function notify(method: Method, { connector, through }: Caller): ClientFunction {
  if (through !== undefined) return interceptedFunction(method, through)
  return (message, options) =>
    scoped(method, options, (scope) => {
      scope.open(connector, message, true)
      return scope.handedOver()
    })
}

function interceptedFunction(method: Method, through: InterceptedNext): ClientFunction {
  return (message, options) => scoped(method, options, (scope) => interceptedSingle(scope, through, message))
}

/** A call whose result is a promise: options that make no sense reject it. */
function scoped<R>(method: Method, options: unknown, call: (scope: CallScope) => Promise<R>): Promise<R> {
  try {
    return call(new CallScope(method, options as CallOptions | undefined))
  } catch (error) {
    return Promise.reject(error)
  }
}
