import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Code, isCode } from '../code.ts'
import type { RpcError } from '../error.ts'
import { isSchema, type Schema } from '../schema.ts'

/** An error as a contract declares it: the schema of its data, or that and a code. */
export type DeclaredError = Schema | { readonly code: Code; readonly data: Schema }

/** The errors of a method, by name. */
export interface DeclaredErrors {
  readonly [name: string]: DeclaredError
}

type DataSchema<E> = E extends StandardSchemaV1 ? E : E extends { readonly data: infer S } ? S : never

/** The type of a declared error's data. */
export type ErrorData<E> =
  DataSchema<E> extends infer S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : never

/** The union of the named errors, narrowed by `name`. */
export type ErrorOf<Errors extends DeclaredErrors, Name extends keyof Errors & string> = {
  [N in Name]: RpcError<N, ErrorData<Errors[N]>>
}[Name]

/**
 * The code that a declared error travels with: the one it was declared with, else the code of the same name
 * (`NotFound` is `not_found`), else `unknown`.
 */
export function declaredCode(name: string, declared: DeclaredError | undefined): Code {
  if (declared !== undefined && !isSchema(declared)) return declared.code
  const snake = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase()
  return isCode(snake) ? snake : 'unknown'
}
