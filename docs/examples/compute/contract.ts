import { bidiStreaming, clientStreaming, serverStreaming, service, unary } from '@qrpc/core'

/** Arithmetic, one method a pattern; declared by types alone, so that nothing is checked at run time. */
export const Compute = service('compute', {
  /** The square of the request. */
  sqr: unary<number, number>(),
  /** The sum of all updates. */
  sum: clientStreaming<void, number, number>(),
  /** The first Fibonacci numbers, as many as requested, from 0 on. */
  fibonacci: serverStreaming<number, number>(),
  /** Each update times the request, at once. */
  multiply: bidiStreaming<number, number, number>(),
})
