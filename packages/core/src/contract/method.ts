import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Code } from '../code.ts'
import { RpcError } from '../error.ts'
import type { Schema } from '../schema.ts'
import { type DeclaredErrors, declaredCode, type ErrorData, type ErrorOf } from './declared-error.ts'

/** The interaction patterns: how many messages go each way. */
export type Pattern = 'unary' | 'clientStreaming' | 'serverStreaming' | 'bidiStreaming' | 'notify'

/** The message types of a method. `Input` is what the sender gives, `Output` what the receiver gets; they differ where a schema transforms. */
export interface MethodTypes {
  requestInput: unknown
  requestOutput: unknown
  updateInput: unknown
  updateOutput: unknown
  responseInput: unknown
  responseOutput: unknown
  errors: DeclaredErrors
}

/** The types of a method that is declared by types alone. */
export interface PlainTypes<Request, Update, Response> extends MethodTypes {
  requestInput: Request
  requestOutput: Request
  updateInput: Update
  updateOutput: Update
  responseInput: Response
  responseOutput: Response
  // biome-ignore lint/complexity/noBannedTypes: no errors are declared.
  errors: {}
}

/** What a method is declared by: a schema a message (`type<T>()` is one that checks nothing), and its errors. */
export interface MethodSchemas {
  /** The request. Default: none (`void`). */
  readonly request?: Schema
  /** An update, which the client streams after the request. Default: none (`void`). */
  readonly update?: Schema
  /** A response. Default: none (`void`). */
  readonly response?: Schema
  /** Errors that the method may fail with, by name: the schema of their data (for its type: it is not checked), or that and a code. Default: none. */
  readonly errors?: DeclaredErrors
  /** Whether a second execution does no harm, so that a call may be repeated or sent as early data. Default: false. */
  readonly idempotent?: boolean
}

type Input<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : void
type Output<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : void

/** The types of a method that is declared by schemas. */
export interface SchemaTypes<S extends MethodSchemas> extends MethodTypes {
  requestInput: Input<S['request']>
  requestOutput: Output<S['request']>
  updateInput: Input<S['update']>
  updateOutput: Output<S['update']>
  responseInput: Input<S['response']>
  responseOutput: Output<S['response']>
  // biome-ignore lint/complexity/noBannedTypes: no errors are declared.
  errors: S['errors'] extends DeclaredErrors ? S['errors'] : {}
}

/** A method of a contract. */
export class Method<P extends Pattern = Pattern, T extends MethodTypes = MethodTypes> {
  /** The message types; for the compiler alone, there is nothing at run time. */
  declare readonly types?: T
  /** How many messages go each way. */
  readonly pattern: P
  /** Where it is served: `compute/sqr`. Empty until the method is part of a service. */
  readonly path: string
  /** What it was declared by. */
  readonly schemas: MethodSchemas

  constructor(pattern: P, path: string, schemas: MethodSchemas) {
    this.pattern = pattern
    this.path = path
    this.schemas = schemas
  }

  /**
   * A declared error, to be thrown by the handler.
   *
   * @example `throw Blobs.get.error('NotFound', { hash })`
   * @param message Default: the name and the method's path.
   * @throws RpcError `failed_precondition` for a name that the method does not declare.
   */
  error<Name extends keyof T['errors'] & string>(
    name: Name,
    ...[data, message]: ErrorArguments<ErrorData<T['errors'][Name]>>
  ): RpcError<Name, ErrorData<T['errors'][Name]>> {
    return new RpcError(this.errorCode(name), message ?? `${name} in ${this.path}`, { name, data: data as never })
  }

  /**
   * Whether a call of this method failed with one of its declared errors, or with the one of that name. The name
   * decides: errors of different data want different names.
   *
   * @example `if (Blobs.get.isError(error, 'NotFound')) console.log(error.data.hash)`
   */
  isError<Name extends keyof T['errors'] & string = keyof T['errors'] & string>(
    error: unknown,
    name?: Name,
  ): error is ErrorOf<T['errors'], Name> {
    if (!(error instanceof RpcError)) return false
    if (name !== undefined && error.name !== name) return false
    return Object.hasOwn(this.schemas.errors ?? {}, error.name)
  }

  private errorCode(name: string): Code {
    const errors = this.schemas.errors ?? {}
    if (Object.hasOwn(errors, name)) return declaredCode(name, errors[name])
    throw new RpcError(
      'failed_precondition',
      `${this.path} declares no error "${name}": add it to "errors" in the contract`,
    )
  }
}

type ErrorArguments<Data> = undefined extends Data ? [data?: Data, message?: string] : [data: Data, message?: string]

type NoUpdate = Omit<MethodSchemas, 'update'> & { readonly update?: never }
type NoResponse = Omit<MethodSchemas, 'update' | 'response'> & { readonly update?: never; readonly response?: never }

/** One request, one response. Handler: `async (request, context) => response`. */
export function unary<const S extends NoUpdate>(schemas: S): Method<'unary', SchemaTypes<S>>
export function unary<Request = void, Response = void>(): Method<'unary', PlainTypes<Request, void, Response>>
export function unary(schemas: MethodSchemas = {}): Method {
  return new Method('unary', '', schemas)
}

/** One request and a stream of updates, one response. Handler: `async (request, updates, context) => response`. */
export function clientStreaming<const S extends MethodSchemas>(schemas: S): Method<'clientStreaming', SchemaTypes<S>>
export function clientStreaming<Request = void, Update = void, Response = void>(): Method<
  'clientStreaming',
  PlainTypes<Request, Update, Response>
>
export function clientStreaming(schemas: MethodSchemas = {}): Method {
  return new Method('clientStreaming', '', schemas)
}

/** One request, a stream of responses. Handler: `async function* (request, context)`. */
export function serverStreaming<const S extends NoUpdate>(schemas: S): Method<'serverStreaming', SchemaTypes<S>>
export function serverStreaming<Request = void, Response = void>(): Method<
  'serverStreaming',
  PlainTypes<Request, void, Response>
>
export function serverStreaming(schemas: MethodSchemas = {}): Method {
  return new Method('serverStreaming', '', schemas)
}

/** One request and a stream of updates, a stream of responses. Handler: `async function* (request, updates, context)`. */
export function bidiStreaming<const S extends MethodSchemas>(schemas: S): Method<'bidiStreaming', SchemaTypes<S>>
export function bidiStreaming<Request = void, Update = void, Response = void>(): Method<
  'bidiStreaming',
  PlainTypes<Request, Update, Response>
>
export function bidiStreaming(schemas: MethodSchemas = {}): Method {
  return new Method('bidiStreaming', '', schemas)
}

/**
 * One request and no answer: the call settles once the request is handed over, and does not learn what became of it.
 * Handler: `async (request, context) => void`.
 */
export function notify<const S extends NoResponse>(schemas: S): Method<'notify', SchemaTypes<S>>
export function notify<Request = void>(): Method<'notify', PlainTypes<Request, void, void>>
export function notify(schemas: MethodSchemas = {}): Method {
  return new Method('notify', '', schemas)
}

/** Whether the client streams updates after the request. */
export function streamsUpdates(pattern: Pattern): boolean {
  return pattern === 'clientStreaming' || pattern === 'bidiStreaming'
}

/** Whether the server streams responses. */
export function streamsResponses(pattern: Pattern): boolean {
  return pattern === 'serverStreaming' || pattern === 'bidiStreaming'
}
