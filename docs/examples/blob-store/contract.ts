import { bidiStreaming, clientStreaming, serverStreaming, service, type } from '@qrpc/core'
import { z } from 'zod'

/** The name of a blob. It becomes a file name on the server, so nothing else than a hash may pass. */
export const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256 in lower-case hex')

/** A store of blobs, each under the sha256 of its content. */
export const Blobs = service('blobs', {
  /** Stores the updates as one blob. */
  put: clientStreaming({
    update: type<Uint8Array>(),
    response: z.object({ hash: Hash, size: z.number() }),
  }),

  /** The content of a blob, in chunks. */
  get: serverStreaming({
    request: z.object({ hash: Hash }),
    response: type<Uint8Array>(),
    errors: { NotFound: z.object({ hash: Hash }) },
  }),

  /** The names of all blobs, in ascending order. */
  list: serverStreaming({ response: Hash }),

  /** Names as blobs are added, until the caller leaves; with `existing`, those that are there come first. */
  watch: serverStreaming({
    request: z.object({ existing: z.boolean().default(false) }),
    response: Hash,
  }),

  /**
   * Compares names. The client sends the names of its blobs in ascending order; the server answers, as they come, with
   * the names that only one of them has. Thanks to the order neither side waits for the other's whole list.
   */
  sync: bidiStreaming({
    update: Hash,
    response: z.object({ hash: Hash, missingAt: z.enum(['client', 'server']) }),
    errors: { OutOfOrder: { code: 'invalid_argument', data: z.object({ hash: Hash }) } },
  }),
})
