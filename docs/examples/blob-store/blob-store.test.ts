import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type Handlers, RpcError, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { CHUNK_SIZE } from './chunks.ts'
import { type BlobsClient, getVerified, putFile, syncNames, waitForBlobs } from './client.ts'
import { Blobs } from './contract.ts'
import { blobHandlers } from './server.ts'
import { BlobStore } from './store.ts'

const ABSENT = '0'.repeat(64)
/** For what happens behind the caller's back. */
const SOON = { timeout: 5_000 }
const resources: AsyncDisposable[] = []
let directory: string
let store: BlobStore
let blobs: BlobsClient

beforeEach(async () => {
  const temporary = await temporaryDirectory()
  directory = join(temporary.path, 'store')
  store = await BlobStore.open(directory)
  resources.push(temporary)
  blobs = connect(blobHandlers(store))
})

afterEach(async () => {
  for (const resource of resources.splice(0).reverse()) await resource[Symbol.asyncDispose]()
})

describe('put and get', () => {
  test('a file of many chunks comes back as it went in', async () => {
    const content = randomBytes(3 * CHUNK_SIZE + 1)
    const path = await inputFile('large', content)
    const hash = await putFile(blobs, path)
    expect(hash).toBe(sha256(content))
    expect(Buffer.concat(await collect(getVerified(blobs, hash)))).toEqual(content)
    expect(await readFile(join(directory, hash))).toEqual(content)
  })

  test('get sends chunks of 64 KiB', async () => {
    const { hash, size } = await blobs.put(undefined, [randomBytes(2 * CHUNK_SIZE + 5)])
    const chunks = await collect(blobs.get({ hash }))
    expect(size).toBe(2 * CHUNK_SIZE + 5)
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual([CHUNK_SIZE, CHUNK_SIZE, 5])
  })

  test('an empty blob is a blob', async () => {
    const { hash, size } = await blobs.put(undefined, [])
    expect({ hash, size }).toEqual({ hash: sha256(''), size: 0 })
    expect(await collect(getVerified(blobs, hash))).toEqual([])
  })

  test('a file that cannot be read fails the put, and leaves nothing', async () => {
    const error = await failure(putFile(blobs, join(directory, 'absent')))
    expect(error).toMatchObject({ code: 'cancelled', cause: { code: 'ENOENT' } })
    await untilEmpty()
  })

  test('puts of the same content at the same time make one blob, which is announced once', async () => {
    const content = randomBytes(CHUNK_SIZE)
    const watch = blobs.watch({})
    const stored = await Promise.all(Array.from({ length: 10 }, () => blobs.put(undefined, [content])))
    expect(new Set(stored.map(({ hash }) => hash))).toEqual(new Set([sha256(content)]))
    expect(await readdir(directory)).toEqual([sha256(content)])
    const next = await blobs.put(undefined, [randomBytes(8)])
    expect([await watch.receive(), await watch.receive()]).toEqual([sha256(content), next.hash])
    watch.cancel()
  })

  test('a put that is cancelled halfway leaves no file', async () => {
    const call = blobs.put()
    await call.send(randomBytes(CHUNK_SIZE))
    await vi.waitFor(async () => expect(await readdir(directory)).toHaveLength(1), SOON)
    call.cancel()
    await expect(call.finish()).rejects.toMatchObject({ code: 'cancelled' })
    await untilEmpty()
    expect(store.names()).toEqual([])
  })

  test('a put whose source fails halfway leaves no file', async () => {
    const broken = new Error('the disk is gone')
    async function* source(): AsyncGenerator<Uint8Array> {
      yield randomBytes(CHUNK_SIZE)
      throw broken
    }
    const error = await failure(blobs.put(undefined, source()))
    expect(error).toMatchObject({ code: 'cancelled', cause: broken })
    await untilEmpty()
  })

  test('a get that is left early closes the file', async () => {
    const { hash } = await blobs.put(undefined, [randomBytes(200 * CHUNK_SIZE)])
    const before = await openFiles()
    for await (const _ of blobs.get({ hash })) break
    await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before), SOON)
  })
})

describe('what is refused', () => {
  test('get of an absent blob fails with NotFound before it starts', async () => {
    const call = blobs.get({ hash: ABSENT })
    const error = await failure(call.started)
    if (!Blobs.get.isError(error, 'NotFound')) throw error
    const hash: string = error.data.hash
    expect(hash).toBe(ABSENT)
    expect(error.code).toBe('not_found')
  })

  test.each([
    '../secret',
    '/etc/passwd',
    `../${ABSENT}`,
    `${ABSENT}/..`,
    `${ABSENT}\n`,
    ABSENT.slice(1),
    'F'.repeat(64),
  ])('the schema refuses %j for a hash', async (hash) => {
    await writeFile(join(directory, '../secret'), 'secret')
    const error = await failure(collect(blobs.get({ hash })))
    expect(error).toMatchObject({ code: 'invalid_argument', data: { issues: [{ path: ['hash'] }] } })
  })

  test('sync refuses names that are no hashes, and names out of order', async () => {
    const notAHash = await failure(collect(blobs.sync(undefined, ['../secret'])))
    expect(notAHash).toMatchObject({ code: 'invalid_argument', name: 'RpcError' })
    const error = await failure(collect(blobs.sync(undefined, ['b'.repeat(64), 'a'.repeat(64)])))
    if (!Blobs.sync.isError(error, 'OutOfOrder')) throw error
    expect(error).toMatchObject({ code: 'invalid_argument', data: { hash: 'a'.repeat(64) } })
  })
})

describe('damage', () => {
  test.each([
    ['a flipped bit', (content: Buffer) => content.fill((content[70_000] ?? 0) ^ 1, 70_000, 70_001)],
    ['a cut', (content: Buffer) => content.subarray(0, -1)],
    ['an addition', (content: Buffer) => Buffer.concat([content, Buffer.of(0)])],
  ])('the client notices %s on the disk', async (_, damage) => {
    const content = randomBytes(2 * CHUNK_SIZE)
    const { hash } = await blobs.put(undefined, [content])
    await writeFile(join(directory, hash), damage(Buffer.from(content)))
    const error = await failure(collect(getVerified(blobs, hash)))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: 'data_loss' })
  })

  test('the client notices a server that has stored something else', async () => {
    const liar = connect({ ...blobHandlers(store), put: async () => ({ hash: ABSENT, size: 1 }) })
    const path = await inputFile('file', 'content')
    await expect(putFile(liar, path)).rejects.toMatchObject({ code: 'data_loss' })
  })

  test('a second put repairs a damaged blob', async () => {
    const { hash } = await blobs.put(undefined, [Buffer.from('content')])
    await writeFile(join(directory, hash), 'damaged')
    await blobs.put(undefined, [Buffer.from('content')])
    expect(Buffer.concat(await collect(getVerified(blobs, hash))).toString()).toBe('content')
  })
})

describe('names', () => {
  test('list gives them in ascending order', async () => {
    const hashes = await putAll('a', 'b', 'c', 'd')
    expect(await collect(blobs.list())).toEqual(hashes.sort())
  })

  test('watch gives those that are added, or with `existing` all', async () => {
    const [first] = await putAll('first')
    const added = blobs.watch({})
    const all = blobs.watch({ existing: true })
    const [second, third] = await putAll('second', 'third')
    expect([await added.receive(), await added.receive()]).toEqual([second, third])
    expect([await all.receive(), await all.receive(), await all.receive()]).toEqual([first, second, third])
    added.cancel()
    all.cancel()
  })

  test('watch ends on the server, too, when the loop is left', async () => {
    const handlers = blobHandlers(store)
    const ended = vi.fn<() => void>()
    async function* observed(names: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
      try {
        yield* names
      } finally {
        ended()
      }
    }
    const watched = connect({ ...handlers, watch: (request, context) => observed(handlers.watch(request, context)) })
    await putAll('first')
    for await (const hash of watched.watch({ existing: true })) {
      expect(hash).toBe(sha256('first'))
      expect(ended).not.toHaveBeenCalled()
      break
    }
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), SOON)
  })

  test('waitForBlobs waits for the last of them', async () => {
    await putAll('before')
    const waiting = waitForBlobs(blobs, ['before', 'after'].map(sha256))
    const early = await Promise.race([waiting.then(() => 'done'), putAll('other').then(() => 'waiting')])
    expect(early).toBe('waiting')
    await putAll('after')
    await waiting
    await waitForBlobs(blobs, [])
  })

  test('sync tells each side what it lacks', async () => {
    const [shared, onlyThere] = await putAll('shared', 'only there')
    const onlyHere = sha256('only here')
    const result = await syncNames(blobs, [onlyHere, shared as string])
    expect(result).toEqual({ missingHere: [onlyThere], missingThere: [onlyHere] })
    expect(await syncNames(blobs, [])).toEqual({ missingHere: store.names(), missingThere: [] })
  })

  test('sync answers while the client is still sending', async () => {
    const names = (await putAll('a', 'b', 'c')).sort()
    const call = blobs.sync()
    await call.send(ABSENT)
    expect(await call.receive()).toEqual({ hash: ABSENT, missingAt: 'server' })
    await call.send(names[1] as string)
    expect(await call.receive()).toEqual({ hash: names[0], missingAt: 'client' })
    call.end()
    expect(await collect(call)).toEqual([{ hash: names[2], missingAt: 'client' }])
  })

  test('a store that is opened again has its blobs, and nothing of what was incomplete or is not its own', async () => {
    const hashes = await putAll('a', 'b')
    await writeFile(join(directory, '.incoming-crashed'), 'half a')
    await writeFile(join(directory, 'notes.txt'), 'not a blob')
    const again = await BlobStore.open(directory)
    expect(again.names()).toEqual(hashes.sort())
    expect((await readdir(directory)).sort()).toEqual([...hashes, 'notes.txt'].sort())
  })
})

function connect(handlers: Handlers<typeof Blobs>): BlobsClient {
  const { connector, listener } = createMemoryTransport()
  const client = createClient(Blobs, connector)
  resources.push(serve(Blobs, handlers, listener), client)
  return client
}

async function putAll(...contents: string[]): Promise<string[]> {
  const hashes: string[] = []
  for (const content of contents) hashes.push((await blobs.put(undefined, [Buffer.from(content)])).hash)
  return hashes
}

async function inputFile(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(directory, '..', name)
  await writeFile(path, content)
  return path
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error,
  )
}

async function untilEmpty(): Promise<void> {
  await vi.waitFor(async () => expect(await readdir(directory)).toEqual([]), SOON)
}

/** How many files of the store this process has open, where the system tells. */
async function openFiles(): Promise<number> {
  const descriptors = await readdir('/proc/self/fd').catch(() => [])
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(directory)).length
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}
