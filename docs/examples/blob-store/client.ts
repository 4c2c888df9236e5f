import { type CallOptions, type Client, RpcError } from '@qrpc/core'
import { fileChunks, HashedChunks } from './chunks.ts'
import type { Blobs } from './contract.ts'

export type BlobsClient = Client<typeof Blobs>

/**
 * Stores a file, and returns the name of its blob.
 *
 * @throws RpcError `data_loss` when the server has stored something else.
 */
export async function putFile(blobs: BlobsClient, path: string, options?: CallOptions): Promise<string> {
  const content = new HashedChunks(fileChunks(path))
  const stored = await blobs.put(undefined, content, options)
  if (stored.hash === content.hash) return stored.hash
  throw new RpcError('data_loss', `${path} was stored as ${stored.hash}, but its hash is ${content.hash}`)
}

/**
 * The content of a blob. It is in doubt until the end, when its hash is known: use what came before only after that.
 *
 * @throws RpcError `NotFound`; `data_loss` after the last chunk when the content is not what its name says.
 */
export async function* getVerified(
  blobs: BlobsClient,
  hash: string,
  options?: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const content = new HashedChunks(blobs.get({ hash }, options))
  yield* content
  if (content.hash !== hash) throw new RpcError('data_loss', `blob ${hash} is damaged: its hash is ${content.hash}`)
}

/** Waits until the store has all these blobs. */
export async function waitForBlobs(blobs: BlobsClient, hashes: Iterable<string>, options?: CallOptions): Promise<void> {
  const missing = new Set(hashes)
  if (missing.size === 0) return
  for await (const hash of blobs.watch({ existing: true }, options)) {
    missing.delete(hash)
    // A watch has no end of its own: leaving the loop ends it, on the server too.
    if (missing.size === 0) return
  }
}

/** Compares the names of the blobs here with those on the server, and returns what each side lacks. */
export async function syncNames(
  blobs: BlobsClient,
  hashes: Iterable<string>,
  options?: CallOptions,
): Promise<{ missingHere: string[]; missingThere: string[] }> {
  const missingHere: string[] = []
  const missingThere: string[] = []
  for await (const { hash, missingAt } of blobs.sync(undefined, [...hashes].sort(), options)) {
    if (missingAt === 'client') missingHere.push(hash)
    else missingThere.push(hash)
  }
  return { missingHere, missingThere }
}
