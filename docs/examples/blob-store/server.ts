import type { Handlers } from '@qrpc/core'
import { Blobs } from './contract.ts'
import { difference } from './difference.ts'
import type { BlobStore } from './store.ts'

/** Serves a store. Whatever the schemas refuse has been refused before it gets here. */
export function blobHandlers(store: BlobStore): Handlers<typeof Blobs> {
  return {
    // A call that is cut short throws out of `updates`, so half a blob is never taken for a whole one.
    put: (_, updates) => store.add(updates),

    async *get({ hash }) {
      const chunks = await store.read(hash)
      if (chunks === undefined) throw Blobs.get.error('NotFound', { hash })
      yield* chunks
    },

    list: () => store.names(),

    watch: ({ existing }, { signal }) => store.watch(existing, signal),

    sync: (_, updates) => difference(store.names(), updates),
  }
}
