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
