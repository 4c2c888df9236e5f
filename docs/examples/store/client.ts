import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Client } from '@qrpc/core'
import type { Store } from './contract.ts'

export type StoreClient = Client<typeof Store>

/** Stores a file. The chunks leave as fast as the server reads them, and no faster. */
export function putFile(store: StoreClient, path: string): Promise<string> {
  return store.putFile(undefined, createReadStream(path))
}

/** Writes what is stored into a file. A disk that is slow makes the server wait. */
export async function getFile(store: StoreClient, hash: string, path: string): Promise<void> {
  await pipeline(store.getFile(hash), createWriteStream(path))
}

/** Compresses a file on the server into one beside it. */
export async function compressFile(store: StoreClient, path: string): Promise<string> {
  const compressed = `${path}.gz`
  await pipeline(store.convertFile('gzip', createReadStream(path)), createWriteStream(compressed))
  return compressed
}
