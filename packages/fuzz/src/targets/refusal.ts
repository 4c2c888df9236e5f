import { type Code, RpcError } from '@qrpc/core'

/** What something has given, or the error with which it was refused. */
export type Outcome<T> =
  | { readonly value: T; readonly error?: never }
  | { readonly value?: never; readonly error: RpcError }

/** Runs it; what it throws besides refusals goes on. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof RpcError) return { error }
    throw error
  }
}

/** @throws Error for a refusal with another code. */
export function expectCode(error: RpcError, ...codes: readonly Code[]): void {
  if (!codes.includes(error.code)) throw new Error(`it is refused with ${error.code}: ${error.message}`)
}

/** @throws Error that says what does not hold. */
export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
