import { RpcError } from '../error.ts'

/** The updates of a call: what was taken is gone, and a second taker must not mistake the rest for the whole. */
export function takenOnce(updates: AsyncIterable<unknown>): AsyncIterable<unknown> {
  let taken = false
  return {
    [Symbol.asyncIterator]() {
      if (taken) {
        throw new RpcError(
          'failed_precondition',
          'updates are taken once: an interceptor that calls next() again must have kept them, and pass them on itself',
        )
      }
      taken = true
      return updates[Symbol.asyncIterator]()
    },
  }
}
