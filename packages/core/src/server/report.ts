import type { Peer } from '../channel/channel.ts'
import { RpcError } from '../error.ts'

/** Where an error of the server comes from. */
export interface ErrorSource {
  /** The path of the method that was called; `undefined` when the channel brought no request. */
  readonly method: string | undefined
  /** The client. */
  readonly peer: Peer
}

/** Told of each error that no client is told in full: what handlers threw, and what peers sent that was refused. */
export type ReportError = (error: unknown, source: ErrorSource) => void

/** Prints what handlers threw unawares; what a peer did wrong is for those who ask for it. */
export function printUnexpected(error: unknown, { method }: ErrorSource): void {
  if (!(error instanceof RpcError)) console.error(`qrpc: the handler of ${method} threw`, error)
}

/** A reporter that cannot harm the call it reports on. */
export function guarded(report: ReportError): ReportError {
  return (error, source) => {
    try {
      report(error, source)
    } catch (thrown) {
      console.error('qrpc: onError threw', thrown)
    }
  }
}
