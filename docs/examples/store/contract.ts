import { bidiStreaming, clientStreaming, serverStreaming, service, type, unary } from '@qrpc/core'
import { z } from 'zod'

const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256 in lower-case hex')
const NotFound = z.object({ hash: Hash })
const OverQuota = { code: 'resource_exhausted', data: z.object({ maxSize: z.number() }) } as const

/** A store in memory of what is named by its sha256. Each pattern once. */
export const Store = service('store', {
  /** Stores what fits into a message. */
  put: unary({ request: type<Uint8Array>(), response: Hash, errors: { OverQuota } }),
  /** Gets what fits into a message. */
  get: unary({ request: Hash, response: type<Uint8Array>(), errors: { NotFound } }),
  /** Stores a file of any size, in chunks. */
  putFile: clientStreaming({ update: type<Uint8Array>(), response: Hash, errors: { OverQuota } }),
  /** Gets a file of any size, in chunks. */
  getFile: serverStreaming({ request: Hash, response: type<Uint8Array>(), errors: { NotFound } }),
  /** Compresses a file that is not stored: chunks go in and come out at the same time. */
  convertFile: bidiStreaming({
    request: z.enum(['gzip', 'brotli']),
    update: type<Uint8Array>(),
    response: type<Uint8Array>(),
  }),
})
