import { RpcError } from '../error.ts'
import { Method } from './method.ts'

const SERVICE: unique symbol = Symbol.for('qrpc.service') as never

/** The methods and nested services of a service, by name. */
export interface ServiceMembers {
  readonly [name: string]: Method | AnyService
}

/** A contract: its members are its properties. */
export type Service<Members extends ServiceMembers = ServiceMembers> = Readonly<Members> & AnyService

/** Any contract. */
export interface AnyService {
  /** The name under which it is served: `node.compute`. */
  readonly [SERVICE]: string
}

// A client and a handler map have the members as properties: these would make them something else than they are.
const RESERVED = [
  'then',
  'catch',
  'finally',
  'constructor',
  'prototype',
  '__proto__',
  'toString',
  'toJSON',
  'valueOf',
] as const
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** The names that no method and no nested service can have. */
export type ReservedName = (typeof RESERVED)[number]

type Checked<Members> = {
  [K in keyof Members]: K extends ReservedName ? `"${K}" is a reserved name` : Members[K]
}

/**
 * Declares a contract.
 *
 * @param name The name under which it is served; letters, digits, `_` and `$`, with dots between parts.
 * @param members Methods and nested services, by name. A nested service is served under the outer one's name:
 * `service('node', { compute: Compute })` has `node.compute/sqr`, and `createClient(Node.compute, connector)` calls it.
 * @throws RpcError `invalid_argument` for a bad or reserved name, or a member that is neither method nor service.
 */
export function service<const Members extends ServiceMembers>(
  name: string,
  members: Members & Checked<Members>,
): Service<Members> {
  for (const part of name.split('.')) {
    if (!NAME.test(part)) {
      throw new RpcError(
        'invalid_argument',
        `service name "${name}": use letters, digits, "_" and "$", with dots between parts`,
      )
    }
  }
  if (typeof members !== 'object' || members === null) {
    throw new RpcError('invalid_argument', `service "${name}" has no members: give an object with methods`)
  }
  return placed(name, members) as Service<Members>
}

/** The name under which a contract is served. */
export function serviceName(contract: AnyService): string {
  return contract[SERVICE]
}

/** Whether `value` is a contract. */
export function isService(value: unknown): value is AnyService {
  return typeof value === 'object' && value !== null && SERVICE in value
}

/** The members of a contract, methods and nested services, in the order of their declaration. */
export function serviceMembers(contract: AnyService): [name: string, member: Method | AnyService][] {
  return Object.entries(contract)
}

function placed(name: string, members: ServiceMembers): AnyService {
  const contract: Record<PropertyKey, unknown> = {}
  Object.defineProperty(contract, SERVICE, { value: name })
  for (const [key, member] of Object.entries(members)) {
    checkName(name, key)
    if (member instanceof Method) contract[key] = new Method(member.pattern, `${name}/${key}`, member.schemas)
    else if (isService(member)) contract[key] = placed(`${name}.${key}`, member as unknown as ServiceMembers)
    else {
      throw new RpcError(
        'invalid_argument',
        `"${key}" of service "${name}" is neither a method nor a service: use unary(), clientStreaming(), serverStreaming(), bidiStreaming(), notify() or service()`,
      )
    }
  }
  return Object.freeze(contract) as unknown as AnyService
}

function checkName(serviceName: string, key: string): void {
  if ((RESERVED as readonly string[]).includes(key)) {
    throw new RpcError('invalid_argument', `"${key}" of service "${serviceName}" is a reserved name: choose another`)
  }
  if (NAME.test(key)) return
  throw new RpcError('invalid_argument', `"${key}" of service "${serviceName}": use letters, digits, "_" and "$"`)
}
