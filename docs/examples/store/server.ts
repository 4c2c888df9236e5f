import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream'
import { createBrotliCompress, createGzip } from 'node:zlib'
import type { Handlers } from '@qrpc/core'
import { Store } from './contract.ts'

const CHUNK_SIZE = 64 * 1024
const COMPRESSORS = { gzip: createGzip, brotli: createBrotliCompress }

/** @param maxSize Bytes that the store takes, all in all. Default: 64 MiB. */
export function storeHandlers(maxSize = 64 * 1024 * 1024): Handlers<typeof Store> {
  const contents = new Map<string, Uint8Array>()
  let size = 0

  function add(content: Uint8Array): string | undefined {
    const hash = createHash('sha256').update(content).digest('hex')
    if (contents.has(hash)) return hash
    if (size + content.byteLength > maxSize) return undefined
    size += content.byteLength
    // A copy: over mem the bytes are still the caller's.
    contents.set(hash, content.slice())
    return hash
  }

  return {
    put(content) {
      const hash = add(content)
      if (hash === undefined) throw Store.put.error('OverQuota', { maxSize })
      return hash
    },

    get(hash) {
      const content = contents.get(hash)
      if (content === undefined) throw Store.get.error('NotFound', { hash })
      return content
    },

    async putFile(_, updates) {
      const chunks: Uint8Array[] = []
      let received = 0
      for await (const chunk of updates) {
        received += chunk.byteLength
        // Not only at the end: until then the chunks are memory, too.
        if (received > maxSize) throw Store.putFile.error('OverQuota', { maxSize })
        chunks.push(chunk)
      }
      const hash = add(Buffer.concat(chunks))
      if (hash === undefined) throw Store.putFile.error('OverQuota', { maxSize })
      return hash
    },

    *getFile(hash) {
      const content = contents.get(hash)
      if (content === undefined) throw Store.getFile.error('NotFound', { hash })
      for (let at = 0; at < content.byteLength; at += CHUNK_SIZE) yield content.subarray(at, at + CHUNK_SIZE)
    },

    // A stream of Node.js is a stream of responses as it is. What fails in it fails the call.
    convertFile: (format, updates) => pipeline(updates, COMPRESSORS[format](), () => {}),
  }
}
