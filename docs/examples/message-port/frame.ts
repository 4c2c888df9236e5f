import { type Code, RpcError } from '@qrpc/core'

/** An error on its way: what the peer may know of it. */
interface Status {
  readonly code: Code
  readonly message: string
  readonly name: string
  readonly data: unknown
}

/** What the two ends of a channel tell each other. */
export type Frame =
  | { readonly kind: 'message'; readonly message: unknown; readonly last: boolean }
  | { readonly kind: 'end'; readonly status: Status | undefined }
  | { readonly kind: 'reset' | 'stop' | 'cancel'; readonly status: Status }
  /** The reader has taken so many messages: as many more may come. */
  | { readonly kind: 'credit'; readonly messages: number }

/**
 * What travels over a port: frames of a channel, or a word about the connection. A listener says `ready` when it has
 * taken the port, and `leave` when no further channels should be opened; the connector says `leave` back.
 */
export type Envelope = { readonly channel: number; readonly frame: Frame } | 'ready' | 'leave'

export function toStatus({ code, message, name, data }: RpcError): Status {
  return { code, message, name, data }
}

export function fromStatus({ code, message, name, data }: Status): RpcError {
  return new RpcError(code, message, { name, data })
}
