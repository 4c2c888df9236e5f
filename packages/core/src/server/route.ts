import { type Method, type Pattern, streamsResponses, streamsUpdates } from '../contract/method.ts'
import { type AnyService, isService, serviceMembers, serviceName } from '../contract/service.ts'
import { RpcError } from '../error.ts'
import { checkedSchema, type Schema } from '../schema.ts'

/** A handler of any pattern; the contract types it. */
type AnyHandler = (request: unknown, second: unknown, third?: unknown) => unknown

/** One method as it is served. */
export interface Route {
  readonly path: string
  readonly pattern: Pattern
  /** Whether the client streams updates after the request. */
  readonly takesUpdates: boolean
  /** Whether the handler gives a stream of responses. */
  readonly streams: boolean
  readonly handler: AnyHandler
  /** Only schemas that check something. */
  readonly request: Schema | undefined
  readonly update: Schema | undefined
  readonly response: Schema | undefined
}

/**
 * The methods of a contract with their handlers, by path.
 *
 * @throws RpcError `invalid_argument` that names what is missing, or what a plain object has that the contract has not.
 */
export function routes(
  contract: AnyService,
  handlers: object,
  into: Map<string, Route> = new Map(),
): Map<string, Route> {
  const name = serviceName(contract)
  if (typeof handlers !== 'object' || handlers === null) {
    throw new RpcError('invalid_argument', `the handlers of service "${name}" are missing: give an object with them`)
  }
  checkExtra(contract, handlers, name)
  const given = handlers as Readonly<Record<string, unknown>>
  // What all objects have is nobody's handler.
  const inherited = Object.prototype as unknown as Readonly<Record<string, unknown>>
  for (const [key, member] of serviceMembers(contract)) {
    const handler = given[key] === inherited[key] ? undefined : given[key]
    if (isService(member)) {
      routes(member, handler as object, into)
    } else {
      if (typeof handler !== 'function') {
        throw new RpcError(
          'invalid_argument',
          `the handler of "${member.path}" is missing: give a function under "${key}"`,
        )
      }
      into.set(member.path, route(member, handler.bind(handlers)))
    }
  }
  return into
}

function route(method: Method, handler: AnyHandler): Route {
  const { request, update, response } = method.schemas
  return {
    path: method.path,
    pattern: method.pattern,
    takesUpdates: streamsUpdates(method.pattern),
    streams: streamsResponses(method.pattern),
    handler,
    request: checkedSchema(request),
    update: checkedSchema(update),
    response: checkedSchema(response),
  }
}

/** An instance of a class may have more than the contract: fields and helpers of its own. A plain object has no reason to. */
function checkExtra(contract: AnyService, handlers: object, name: string): void {
  const prototype = Object.getPrototypeOf(handlers)
  if (prototype !== Object.prototype && prototype !== null) return
  for (const key of Object.keys(handlers)) {
    if (Object.hasOwn(contract, key)) continue
    throw new RpcError(
      'invalid_argument',
      `there is a handler "${key}", but service "${name}" has no such member: remove it, or add it to the contract`,
    )
  }
}
