import { constants } from 'node:http2'
import { type Code, RpcError } from '@qrpc/core'

// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors
const CODES: Readonly<Record<number, Code>> = {
  [constants.NGHTTP2_NO_ERROR]: 'unavailable',
  // What proxies answer for a server that has died. A server's own errors come in frames.
  [constants.NGHTTP2_INTERNAL_ERROR]: 'unavailable',
  [constants.NGHTTP2_REFUSED_STREAM]: 'unavailable',
  [constants.NGHTTP2_CANCEL]: 'cancelled',
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: 'resource_exhausted',
  [constants.NGHTTP2_INADEQUATE_SECURITY]: 'permission_denied',
}

// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
const STATUSES: Readonly<Record<number, Code>> = {
  400: 'internal',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  429: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

/** The error of a stream that the peer has reset. */
export function resetError(rstCode: number): RpcError {
  return new RpcError(CODES[rstCode] ?? 'internal', `the peer reset the HTTP/2 stream with error code ${rstCode}`)
}

const RESETS: Readonly<Partial<Record<Code, number>>> = {
  resource_exhausted: constants.NGHTTP2_ENHANCE_YOUR_CALM,
  permission_denied: constants.NGHTTP2_INADEQUATE_SECURITY,
  internal: constants.NGHTTP2_INTERNAL_ERROR,
}

/** The code for a reset from this side (RFC 9113, section 7). */
export function resetCode(code: Code): number {
  return RESETS[code] ?? constants.NGHTTP2_CANCEL
}

/** The error where something else than a qrpc server has answered: as a rule a proxy. */
export function statusError(status: number, contentType: unknown): RpcError {
  if (status === 200) {
    return new RpcError('unknown', `the answer is no qrpc: its content-type is ${JSON.stringify(contentType ?? null)}`)
  }
  return new RpcError(
    STATUSES[status] ?? 'unknown',
    `the answer has the HTTP status ${status}: it comes from no qrpc server`,
  )
}
