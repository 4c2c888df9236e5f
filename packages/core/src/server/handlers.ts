import type { Method, MethodTypes } from '../contract/method.ts'
import type { AnyService } from '../contract/service.ts'
import type { Context } from './context.ts'
import type { UpdateStream } from './update-stream.ts'

/** What a streaming handler may return: an async generator, as a rule, or any other iterable. */
export type Responses<Response> = AsyncIterable<Response> | Iterable<Response>

type HandlerOf<P, T extends MethodTypes> = P extends 'unary'
  ? (request: T['requestOutput'], context: Context) => T['responseInput'] | Promise<T['responseInput']>
  : P extends 'clientStreaming'
    ? (
        request: T['requestOutput'],
        updates: UpdateStream<T['updateOutput']>,
        context: Context,
      ) => T['responseInput'] | Promise<T['responseInput']>
    : P extends 'serverStreaming'
      ? (request: T['requestOutput'], context: Context) => Responses<T['responseInput']>
      : P extends 'bidiStreaming'
        ? (
            request: T['requestOutput'],
            updates: UpdateStream<T['updateOutput']>,
            context: Context,
          ) => Responses<T['responseInput']>
        : (request: T['requestOutput'], context: Context) => void | Promise<void>

/** The handler of a method. */
export type Handler<M extends Method> = M extends Method<infer P, infer T> ? HandlerOf<P, T> : never

/** The handlers of a contract: a function a method, an object (or an instance of a class) a nested service. */
export type Handlers<S extends AnyService> = {
  readonly [K in keyof S as K extends string ? K : never]: S[K] extends Method<infer P, infer T>
    ? HandlerOf<P, T>
    : S[K] extends AnyService
      ? Handlers<S[K]>
      : never
}
