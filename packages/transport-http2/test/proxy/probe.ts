import { bidiStreaming, clientStreaming, notify, serverStreaming, service, type, unary } from '@qrpc/core'

/** What is called through a proxy. Where a request is a `key`, the handler reports what becomes of the call under it. */
export const Probe = service('probe', {
  /** The server that answers. */
  server: unary<void, string>(),
  echo: unary<unknown, unknown>(),
  /** Gives the key back. It may be asked for twice. */
  work: unary({ request: type<string>(), response: type<string>(), idempotent: true }),
  metadata: unary<void, readonly (readonly [string, string | Uint8Array])[]>(),
  refuse: unary({ request: type<string>(), response: type<void>(), errors: { NotFound: type<{ key: string }>() } }),
  /** Answers when it is cancelled, or never. */
  hold: unary<string, void>(),
  sum: clientStreaming<void, number, number>(),
  /** Reads nothing until it is released, and then counts the bytes. */
  swallow: clientStreaming<string, Uint8Array, number>(),
  count: serverStreaming<number, number>(),
  /** As many bytes as are taken. */
  flood: serverStreaming<string, Uint8Array>(),
  /** First the server that answers; then double of each number; at the end their count. */
  double: bidiStreaming<void, number, string | number>(),
  tell: notify<string>(),
  peer: unary<void, { readonly address: string; readonly certificate: Uint8Array | undefined }>(),
})

/** The size of what `flood` yields. */
export const FLOOD_CHUNK = 16 * 1024

/** What the handlers report. */
export interface Report {
  readonly event: 'started' | 'aborted' | 'ended' | 'told' | 'yielded'
  readonly key: string
  readonly detail?: string | number | undefined
}

/** What a server process is started with. */
export interface ProbeServerSettings {
  readonly name: string
  readonly port: number
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string } | undefined
}

/** What a server process is told. */
export type Order = { readonly listen: ProbeServerSettings } | { readonly release: string }

/** What a server process says. */
export type Notice = { readonly listening: string } | { readonly report: Report }
