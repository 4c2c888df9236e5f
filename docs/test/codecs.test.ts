import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, serve, service, unary } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { type Codec, WireFormat } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { codeBlock } from './markdown.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
const block = codeBlock(readFileSync(join(docs, 'codecs.md'), 'utf8'), '## JSON')

const jsonCodec = await load()

/** From a file where the packages can be found as they are from an app. */
async function load(): Promise<Codec> {
  const directory = mkdtempSync(join(docs, '.codecs-'))
  try {
    writeFileSync(join(directory, 'json-codec.ts'), block)
    const loaded = (await import(join(directory, 'json-codec.ts'))) as { jsonCodec: Codec }
    return loaded.jsonCodec
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const Service = service('service', { echo: unary<unknown, unknown>() })

async function echo(value: unknown): Promise<unknown> {
  return value
}

const VALUES = [null, true, 'a', 1.5, [], [1, [null]], {}, { a: { b: 'c' } }]

describe('the JSON codec of docs/codecs.md', () => {
  const format = new WireFormat({ codec: jsonCodec })

  test.each([...VALUES, undefined])('carries %j', (value) => {
    expect(jsonCodec.decode(jsonCodec.encode(value))).toEqual(value)
  })

  test.each<[string, unknown]>([
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a bigint', 1n],
    ['undefined inside', [undefined]],
    ['NaN', Number.NaN],
    ['an instance of a class', new (class A {})()],
    ['an object with toJSON', { toJSON: () => 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => format.addMessage(format.createBatch(), { value })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })

  test.each(['{', '"', 'undefined', '\ufeff'])('refuses what is no JSON: %s', (text) => {
    expect(() => format.decodeMessage(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })

  test('serves a transport in memory that is strict', async () => {
    const { connector, listener } = createMemoryTransport({ strict: jsonCodec })
    await using _ = serve(Service, { echo }, listener)
    await using client = createClient(Service, connector)
    for (const value of [...VALUES, undefined]) expect(await client.echo(value)).toEqual(value)
    await expect(client.echo(new Date())).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('serves HTTP/2', async () => {
    await using server = serve(Service, { echo }, await listenHttp2({ codec: jsonCodec }))
    await using client = createClient(Service, connectHttp2(server.addresses[0] ?? '', { codec: jsonCodec }))
    for (const value of [...VALUES, undefined]) expect(await client.echo(value)).toEqual(value)
    await expect(client.echo(new Date())).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
