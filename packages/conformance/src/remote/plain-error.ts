import { type Code, RpcError } from '@qrpc/core'

/** An `RpcError` between processes: what a peer would see of it. */
export interface PlainError {
  readonly code: Code
  readonly message: string
  readonly name: string
  readonly data: unknown
}

/** Anything that was thrown, to be sent; what is no `RpcError` becomes `internal`. */
export function toPlain(thrown: unknown): PlainError {
  const { code, message, name, data } = RpcError.from(thrown, 'internal')
  return { code, message, name, data }
}

export function fromPlain({ code, message, name, data }: PlainError): RpcError {
  return new RpcError(code, message, { name, data })
}
