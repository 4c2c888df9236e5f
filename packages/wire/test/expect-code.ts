import { RpcError } from '@qrpc/core'
import { expect } from 'vitest'

/** Runs what must throw an `RpcError` with the code, and gives that error. */
export function expectCode(code: string, run: () => unknown): RpcError {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(RpcError)
  expect(thrown).toMatchObject({ code })
  return thrown as RpcError
}

/** What it gives, or the `RpcError` that it throws. Any other error is thrown on. */
export function outcomeOf<R>(run: () => R): { value?: R; error?: RpcError } {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof RpcError) return { error }
    throw error
  }
}
