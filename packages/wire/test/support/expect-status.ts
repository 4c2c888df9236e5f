import { type Code, RpcError } from '@qrpc/core'
import { expect } from 'vitest'

/** What the promise is rejected with, which must be an `RpcError` with the code, and a text that matches. */
export async function expectStatus(outcome: Promise<unknown>, code: Code, text?: string | RegExp): Promise<RpcError> {
  const error = await outcome.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)} instead of failing with ${code}`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RpcError)
  expect(error).toMatchObject({ code })
  if (text !== undefined) expect((error as RpcError).message).toMatch(text)
  return error as RpcError
}
