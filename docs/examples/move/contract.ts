import { clientStreaming, serverStreaming, service, unary } from '@qrpc/core'
import { z } from 'zod'

const Page = z.object({ title: z.string().min(1), text: z.string() })

/** Finds words in pages: at first a part of the program, later more than one process should have to do. */
export const Search = service('search', {
  /** Adds pages, and gives how many there are. */
  add: clientStreaming({ update: Page, response: z.number() }),
  page: unary({
    request: z.string(),
    response: Page,
    errors: { NotFound: z.object({ title: z.string(), similar: z.array(z.string()) }) },
  }),
  /** The titles of pages with that word, over and over, as long as the caller wants some. */
  find: serverStreaming({ request: z.string(), response: z.string() }),
  /** How many searches are running: now, and whenever that changes. */
  running: serverStreaming({ response: z.number() }),
  /** For whom it works: what the metadata says. */
  forWhom: unary({ response: z.string() }),
})
