import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { compressFile, getFile, putFile } from './client.ts'
import { Store } from './contract.ts'
import { storeHandlers } from './server.ts'

const TRANSPORTS = {
  memory: () => createMemoryTransport(),
  async 'HTTP/2'() {
    const listener = await listenHttp2()
    return { listener, connector: connectHttp2(listener.addresses[0] ?? '') }
  },
}

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

describe.each(Object.entries(TRANSPORTS))('over %s', (_, open) => {
  test('what fits into a message goes in and out', async () => {
    const { connector, listener } = await open()
    await using _server = serve(Store, storeHandlers(), listener)
    await using store = createClient(Store, connector)
    const content = randomBytes(1000)
    const hash = await store.put(content)
    expect(hash).toBe(sha256(content))
    expect(Buffer.from(await store.get(hash))).toEqual(content)
  })

  test('files go in, out and through', async () => {
    await using directory = await temporaryDirectory()
    const { connector, listener } = await open()
    await using _server = serve(Store, storeHandlers(), listener)
    await using store = createClient(Store, connector)
    const content = randomBytes(3_000_000)
    const original = join(directory.path, 'original')
    await writeFile(original, content)

    const hash = await putFile(store, original)
    expect(hash).toBe(sha256(content))
    const copy = join(directory.path, 'copy')
    await getFile(store, hash, copy)
    expect((await readFile(copy)).equals(content)).toBe(true)
    expect(gunzipSync(await readFile(await compressFile(store, copy))).equals(content)).toBe(true)
  })

  test('a dialogue with the converter, by hand', async () => {
    const { connector, listener } = await open()
    await using _server = serve(Store, storeHandlers(), listener)
    await using store = createClient(Store, connector)
    using call = store.convertFile('brotli')
    for (const word of ['one', 'two', 'three']) await call.send(new TextEncoder().encode(word))
    call.end()
    const chunks: Uint8Array[] = []
    for await (const chunk of call) chunks.push(chunk)
    expect(brotliDecompressSync(Buffer.concat(chunks)).toString()).toBe('onetwothree')
  })

  test('what is not there, and what is too much', async () => {
    await using directory = await temporaryDirectory()
    const { connector, listener } = await open()
    await using _server = serve(Store, storeHandlers(100_000), listener)
    await using store = createClient(Store, connector)
    const hash = '0'.repeat(64)
    await expect(store.get(hash)).rejects.toMatchObject({ name: 'NotFound', code: 'not_found', data: { hash } })
    await expect(store.getFile(hash).started).rejects.toMatchObject({ name: 'NotFound', data: { hash } })
    await expect(store.get('../secrets')).rejects.toMatchObject({ code: 'invalid_argument' })

    const large = join(directory.path, 'large')
    await writeFile(large, randomBytes(1_000_000))
    await expect(putFile(store, large)).rejects.toMatchObject({ name: 'OverQuota', data: { maxSize: 100_000 } })
    const first = await store.put(randomBytes(60_000))
    await expect(store.put(randomBytes(60_000))).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect((await store.get(first)).byteLength).toBe(60_000)
  })
})
