import type { Method, MethodTypes } from '../contract/method.ts'
import type { AnyService } from '../contract/service.ts'
import type { CallOptions } from './call-options.ts'
import type { BidiStreamingCall, ClientStreamingCall, ServerStreamingCall } from './calls.ts'

/** What the client may give as a stream of updates. */
export type UpdateSource<Update> = AsyncIterable<Update> | Iterable<Update>

/** A function of a client: unary. */
export type UnaryFunction<Request, Response> = (...args: RequestArguments<Request, CallOptions>) => Promise<Response>

/** A function of a client: client streaming, driven by hand or fed from an iterable. */
export interface ClientStreamingFunction<Request, Update, Response> {
  (...args: RequestArguments<Request, CallOptions>): ClientStreamingCall<Update, Response>
  (request: Request, updates: UpdateSource<Update>, options?: CallOptions): Promise<Response>
}

/** A function of a client: server streaming. */
export type ServerStreamingFunction<Request, Response> = (
  ...args: RequestArguments<Request, CallOptions>
) => ServerStreamingCall<Response>

/** A function of a client: bidi streaming, driven by hand or fed from an iterable. */
export interface BidiStreamingFunction<Request, Update, Response> {
  (...args: RequestArguments<Request, CallOptions>): BidiStreamingCall<Update, Response>
  (request: Request, updates: UpdateSource<Update>, options?: CallOptions): ServerStreamingCall<Response>
}

/** A function of a client: notify. The promise resolves once the request is handed over; from then on only the deadline reaches the handler. */
export type NotifyFunction<Request> = (...args: RequestArguments<Request, CallOptions>) => Promise<void>

type RequestArguments<Request, Options> = undefined extends Request
  ? [request?: Request, options?: Options]
  : [request: Request, options?: Options]

type FunctionOf<P, T extends MethodTypes> = P extends 'unary'
  ? UnaryFunction<T['requestInput'], T['responseOutput']>
  : P extends 'clientStreaming'
    ? ClientStreamingFunction<T['requestInput'], T['updateInput'], T['responseOutput']>
    : P extends 'serverStreaming'
      ? ServerStreamingFunction<T['requestInput'], T['responseOutput']>
      : P extends 'bidiStreaming'
        ? BidiStreamingFunction<T['requestInput'], T['updateInput'], T['responseOutput']>
        : NotifyFunction<T['requestInput']>

/** The client of a contract: a function a method, an object a nested service. */
export type Client<S extends AnyService> = {
  readonly [K in keyof S as K extends string ? K : never]: S[K] extends Method<infer P, infer T>
    ? FunctionOf<P, T>
    : S[K] extends AnyService
      ? Client<S[K]>
      : never
}
