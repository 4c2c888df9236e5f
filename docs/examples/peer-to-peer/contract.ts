import { notify, serverStreaming, service, unary } from '@qrpc/core'
import { z } from 'zod'

/** Of two entries with the same key the one with the later stamp counts, at all nodes alike. */
const Stamp = z.object({ version: z.number().int().positive(), author: z.string() })
const Entry = Stamp.extend({ key: z.string().max(200), value: z.string().max(10_000) })

export type Stamp = z.infer<typeof Stamp>
export type Entry = z.infer<typeof Entry>

/** What nodes ask each other. */
export const Gossip = service('gossip', {
  /** Something new, which the other passes on if it is new to it too. */
  rumour: notify({ request: Entry }),
  /** All entries that are later than those that the caller has. */
  pull: serverStreaming({ request: z.map(z.string(), Stamp), response: Entry }),
  /** As whom, and from where, the other sees the caller. */
  whoAmI: unary({ response: z.object({ fingerprint: z.string(), address: z.string() }) }),
})
