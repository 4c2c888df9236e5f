import { serverStreaming, service, unary } from '@qrpc/core'
import { z } from 'zod'

const Name = z.string().min(1)

/** A disk with room for so many characters. */
export const Disk = service('disk', {
  write: unary({
    request: z.object({ name: Name, text: z.string() }),
    errors: {
      ReadOnly: { code: 'permission_denied', data: z.object({ name: Name }) },
      NoSpace: { code: 'resource_exhausted', data: z.object({ free: z.number() }) },
    },
  }),

  /**
   * Reads several files. One that is not there is an answer like the others, and the next one follows; what ends the whole
   * call is an error of the call.
   */
  readAll: serverStreaming({
    request: z.array(Name),
    response: z.discriminatedUnion('outcome', [
      z.object({ outcome: z.literal('read'), name: Name, text: z.string() }),
      z.object({ outcome: z.literal('missing'), name: Name }),
    ]),
    errors: {
      TooMany: { code: 'invalid_argument', data: z.object({ most: z.number() }) },
      Ejected: { code: 'aborted', data: z.object({ after: z.number() }) },
    },
  }),
})
