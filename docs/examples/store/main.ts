import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { temporaryDirectory } from '../temporary-directory.ts'
import { compressFile, getFile, putFile } from './client.ts'
import { Store } from './contract.ts'
import { storeHandlers } from './server.ts'

await using directory = await temporaryDirectory()
const { connector, listener } = createMemoryTransport()
await using _server = serve(Store, storeHandlers(), listener)
await using store = createClient(Store, connector)

const hash = await store.put(new TextEncoder().encode('hello'))
console.log('put', hash)
console.log('get', new TextDecoder().decode(await store.get(hash)))

const file = await putFile(store, fileURLToPath(import.meta.url))
console.log('putFile', file)
const copy = join(directory.path, 'copy.ts')
await getFile(store, file, copy)
console.log('getFile', (await stat(copy)).size, 'bytes')
console.log('convertFile', (await stat(await compressFile(store, copy))).size, 'bytes')

try {
  await store.get('0'.repeat(64))
} catch (error) {
  if (!Store.get.isError(error, 'NotFound')) throw error
  console.log('get', error.code, error.data.hash)
}
