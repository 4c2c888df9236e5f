import { bidiStreaming, clientStreaming, serverStreaming, service, unary } from '@qrpc/core'

/** What the network workloads call. */
export const Bench = service('bench', {
  echo: unary<Uint8Array, Uint8Array>(),
  /** As many small messages as asked for. */
  small: serverStreaming<number, Uint8Array>(),
  /** As many messages of 64 KiB as asked for. */
  download: serverStreaming<number, Uint8Array>(),
  upload: clientStreaming<void, Uint8Array, number>(),
  pingPong: bidiStreaming<void, Uint8Array, Uint8Array>(),
})

/** Bytes of the small messages. */
export const SMALL = 20
/** Bytes of the large ones. */
export const LARGE = 64 * 1024
