import { clientStreaming, serverStreaming, service, unary } from '@qrpc/core'
import { z } from 'zod'

/** All that the two sides share: this package is what both depend on, and neither depends on the other. */
export const Notes = service('notes', {
  add: unary({ request: z.object({ text: z.string().min(1).max(1000) }), response: z.number() }),
  import: clientStreaming({ update: z.string().max(1000), response: z.object({ added: z.number() }) }),
  all: serverStreaming({ response: z.object({ id: z.number(), text: z.string() }) }),
})
