import { bidiStreaming, clientStreaming, notify, serverStreaming, service, unary } from '@qrpc/core'

/** Counters with names, which the pages of the site show. */
export const Visits = service('visits', {
  /** How often somebody has been there. */
  count: unary<string, number>(),
  /** Somebody has been there. Nobody waits for it. */
  visited: notify<string>(),
  /** The same for many, and how many they were. */
  visitedAll: clientStreaming<void, string, number>(),
  /** The count of a name now, and whenever it has changed. */
  watch: serverStreaming<string, number>(),
  /** The counts of the names that are asked for, one by one. */
  countEach: bidiStreaming<void, string, number>(),
})
