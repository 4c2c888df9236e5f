import { Metadata, type MetadataInit, RpcError } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, CALLS } from './support/bed.ts'
import { failure, thrown } from './support/wait.ts'

const bytes = new Uint8Array([1, 2, 3])

describe('Metadata', () => {
  it('is empty from nothing', () => {
    expect([...new Metadata()]).toEqual([])
  })

  it.each<[string, MetadataInit]>([
    ['an object', { a: ['1', '2'], b: bytes }],
    [
      'pairs',
      [
        ['a', '1'],
        ['b', bytes],
        ['a', '2'],
      ],
    ],
    ['other metadata', new Metadata({ a: ['1', '2'], b: bytes })],
  ])('is made from %s', (_, init) => {
    expect([...new Metadata(init)]).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b', bytes],
    ])
  })

  it('is made from a Map', () => {
    expect(new Metadata(new Map([['k', 'v']])).get('k')).toBe('v')
  })

  it('takes no notice of the case of a key', () => {
    const metadata = new Metadata({ 'X-Trace': '1' })
    expect(metadata.get('x-trace')).toBe('1')
    expect(metadata.has('X-TRACE')).toBe(true)
    expect(metadata.getAll('x-Trace')).toEqual(['1'])
    expect([...metadata]).toEqual([['x-trace', '1']])
  })

  it('has several values a key: append adds, set replaces, delete removes', () => {
    const metadata = new Metadata({ k: '1' })
    metadata.append('K', '2')
    expect(metadata.getAll('k')).toEqual(['1', '2'])
    expect(metadata.get('k')).toBe('1')
    metadata.set('K', '3')
    expect(metadata.getAll('k')).toEqual(['3'])
    metadata.delete('K')
    expect(metadata.has('k')).toBe(false)
    expect(metadata.get('k')).toBeUndefined()
    expect(metadata.getAll('k')).toEqual([])
  })

  it('is a copy of other metadata', () => {
    const first = new Metadata({ k: '1' })
    const second = new Metadata(first)
    second.append('k', '2')
    expect(first.getAll('k')).toEqual(['1'])
  })

  it('has room for names that objects have of their own', () => {
    const metadata = new Metadata({ constructor: 'c' })
    expect(metadata.get('constructor')).toBe('c')
    expect(metadata.get('toString')).toBeUndefined()
  })

  it.each(['', ' ', 'two words', 'a:b', 'ümlaut', 'line\nbreak', 'nul\0'])('refuses the key %j', async (key) => {
    const error = await thrown(() => new Metadata({ [key]: 'v' }))
    expect(error.code).toBe('invalid_argument')
    expect(error.message).toContain(JSON.stringify(key))
  })

  it('takes each character of an HTTP token', () => {
    const key = "azAZ09!#$%&'*+-.^_`|~"
    expect(new Metadata({ [key]: 'v' }).get(key)).toBe('v')
  })

  it.each([undefined, null, 1, true, {}, new ArrayBuffer(1)])('refuses the value %o, naming its key', async (value) => {
    for (const put of [
      () => new Metadata({ k: value as never }),
      () => new Metadata().append('k', value as never),
      () => new Metadata().set('k', value as never),
    ]) {
      const error = await thrown(put)
      expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('"k"') })
    }
  })
})

describe('the metadata of a call', () => {
  it.each(CALLS)('reaches the handler: $name', async ({ run, result }) => {
    const seen: unknown[] = []
    const { client } = bed({
      serverInterceptors: [
        (call, next) => {
          seen.push([...call.metadata])
          return next(call)
        },
      ],
    })
    expect(await run(client, { metadata: { Token: ['a', bytes] } })).toEqual(result)
    expect(seen).toEqual([
      [
        ['token', 'a'],
        ['token', bytes],
      ],
    ])
  })

  it('is empty in the handler where the caller gave none', async () => {
    const { client } = bed({ handlers: { call: (_, { metadata }) => [...metadata].length } })
    expect(await client.call(1)).toBe(0)
  })

  it('is what the caller gave when it called, whatever becomes of that later', async () => {
    const { client } = bed({
      handlers: {
        async collect(_, updates, { metadata }) {
          for await (const _update of updates);
          return metadata.getAll('k').length
        },
      },
    })
    const metadata = new Metadata({ k: '1' })
    const call = client.collect(0, { metadata })
    metadata.append('k', '2')
    expect(await call.finish()).toBe(1)
  })

  it('is known to the connector when it opens', async () => {
    const { client, opens } = bed()
    await client.call(1, { metadata: { k: 'v' } })
    expect(opens[0]?.metadata).toEqual([['k', 'v']])
  })

  it.each(CALLS)('fails the call where it is none: $name', async ({ run }) => {
    const { client, opens } = bed()
    const error = await failure((async () => run(client, { metadata: { 'two words': 'v' } }))())
    expect(error).toBeInstanceOf(RpcError)
    expect(error.code).toBe('invalid_argument')
    expect(opens).toEqual([])
  })

  it('fails the call where a peer sent a key that is none', async () => {
    const { connector } = bed({ handlers: { call: (_, { metadata }) => [...metadata].length } })
    const channel = await connector.open()
    await channel.send({ method: 'kit/call', metadata: [['two words', 'v']], timeout: undefined, message: 1 }, true)
    expect((await failure(channel.receiveOnly())).code).toBe('invalid_argument')
  })
})
