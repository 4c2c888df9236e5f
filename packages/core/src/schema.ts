import type { StandardSchemaV1 } from '@standard-schema/spec'
import { RpcError } from './error.ts'
import { asPromise } from './promise.ts'

/**
 * A schema of any library that follows the Standard Schema spec (zod, valibot, arktype and others).
 *
 * @see https://standardschema.dev
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** Why a schema refused a message: the `data` of an `invalid_argument` error. */
export interface ValidationIssues {
  readonly issues: readonly { readonly message: string; readonly path: readonly (string | number)[] }[]
}

const ANYTHING: Schema = {
  '~standard': { version: 1, vendor: 'qrpc', validate: (value) => ({ value }) },
}

/**
 * A schema that is a TypeScript type alone: nothing is checked at run time and it costs nothing.
 *
 * @example `get: serverStreaming({ request: z.object({ hash: z.string() }), response: type<Uint8Array>() })`
 */
export function type<T>(): Schema<T> {
  return ANYTHING as Schema<T>
}

/** Whether `value` is a Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
}

/** The schema where there is something to check, so that types alone cost nothing on the way of a message. */
export function checkedSchema(schema: Schema | undefined): Schema | undefined {
  return schema === ANYTHING ? undefined : schema
}

/**
 * The value as the schema makes it, or a promise of it where the schema is asynchronous.
 *
 * @param what Names the value in the error: `request`, `update`.
 * @throws RpcError `invalid_argument` with {@link ValidationIssues} as `data`; as a rejection where the schema is asynchronous.
 */
export function validate(schema: Schema, value: unknown, what: string): unknown {
  const result = schema['~standard'].validate(value)
  const later = asPromise(result) as Promise<StandardSchemaV1.Result<unknown>> | undefined
  if (later !== undefined) return later.then((settled) => accepted(settled, what))
  return accepted(result as StandardSchemaV1.Result<unknown>, what)
}

function accepted(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value
  const issues = result.issues.map((issue) => ({
    message: issue.message,
    path: (issue.path ?? []).map((segment) => pathKey(typeof segment === 'object' ? segment.key : segment)),
  }))
  const text = issues.map(({ message, path }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
  const data: ValidationIssues = { issues }
  throw new RpcError('invalid_argument', `the schema refused the ${what}: ${text.join('; ')}`, { data })
}

function pathKey(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? key.toString() : key
}
