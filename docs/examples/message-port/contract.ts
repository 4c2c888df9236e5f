import { clientStreaming, serverStreaming, service } from '@qrpc/core'

/** Work that would keep an event loop busy. */
export const Primes = service('primes', {
  upTo: serverStreaming<number, number>(),
  count: clientStreaming<void, number, number>(),
})
