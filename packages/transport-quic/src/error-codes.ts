import { CODES, type Code, RpcError } from '@qrpc/core'

/** The application error code of a reset: the number of the status code in gRPC. */
export function errorCodeOf(code: Code): number {
  return CODES.indexOf(code) + 1
}

/** The error of a stream that the peer has reset with an application error code. */
export function resetError(errorCode: number): RpcError {
  return new RpcError(CODES[errorCode - 1] ?? 'unknown', `the peer reset the QUIC stream with error code ${errorCode}`)
}
