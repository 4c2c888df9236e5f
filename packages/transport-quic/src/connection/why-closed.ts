import { RpcError } from '@qrpc/core'
import { LimitError } from '@qrpc/wire'
import type { QuicheConnection } from '../binding.ts'
import { describeTransportError } from '../tls/tls-failure.ts'

/** The error of a connection that quiche has closed. */
export function whyClosed(quiche: QuicheConnection): RpcError {
  if (quiche.isTimedOut()) return new LimitError('idleTimeoutMs', 'unavailable', 'the peer no longer answers')
  const theirs = quiche.peerError()
  if (theirs !== null) {
    const reason = Buffer.from(theirs.reason).toString()
    const what = theirs.isApp ? reason || `error code ${theirs.errorCode}` : describeTransportError(theirs.errorCode)
    return new RpcError('unavailable', `the peer closed the connection: ${what}`)
  }
  const own = quiche.localError()
  const what = own === null ? 'it was closed' : describeTransportError(own.errorCode)
  return new RpcError('unavailable', `the connection has failed: ${what}`)
}
