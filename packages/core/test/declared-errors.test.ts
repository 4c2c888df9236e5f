import { createClient, RpcError, serve, serverStreaming, service, type, unary } from '@qrpc/core'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createTransport } from './support/transport.ts'
import { all, failure, thrown } from './support/wait.ts'

const Blobs = service('blobs', {
  get: unary({
    request: type<string>(),
    response: type<string>(),
    errors: {
      NotFound: z.object({ hash: z.string() }),
      Full: { code: 'resource_exhausted', data: v.object({ limit: v.number() }) },
      Odd: type<void>(),
    },
  }),
  list: serverStreaming({ response: type<string>(), errors: { NotFound: type<{ dir: string }>() } }),
  plain: unary(),
})
const Node = service('node', { blobs: Blobs })

describe('a declared error', () => {
  it('has its name, its data, and a message that says where it comes from', () => {
    const error = Blobs.get.error('NotFound', { hash: 'h' })
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ name: 'NotFound', data: { hash: 'h' }, message: 'NotFound in blobs/get' })
  })

  it('takes a message of its own', () => {
    expect(Blobs.get.error('NotFound', { hash: 'h' }, 'no blob h').message).toBe('no blob h')
  })

  it('needs no data where it is declared without', () => {
    expect(Blobs.get.error('Odd')).toMatchObject({ name: 'Odd', data: undefined })
  })

  it('has the code it is declared with, else the one of its name, else unknown', () => {
    expect(Blobs.get.error('Full', { limit: 1 }).code).toBe('resource_exhausted')
    expect(Blobs.get.error('NotFound', { hash: 'h' }).code).toBe('not_found')
    expect(Blobs.get.error('Odd').code).toBe('unknown')
  })

  it.each([
    ['DeadlineExceeded', 'deadline_exceeded'],
    ['OutOfRange', 'out_of_range'],
    ['Aborted', 'aborted'],
    ['not_found', 'not_found'],
    ['TooManyCooks', 'unknown'],
  ])('of the name %s has the code %s', (name, code) => {
    const S = service('s', { m: unary({ errors: { [name]: type<void>() } }) })
    expect(S.m.error(name).code).toBe(code)
  })

  it.each(['Other', 'toString', 'constructor'])('is not made under a name that is not declared: %s', async (name) => {
    const error = await thrown(() => Blobs.get.error(name as never, {} as never))
    expect(error).toMatchObject({ code: 'failed_precondition', message: expect.stringContaining(`"${name}"`) })
    expect(error.message).toContain('blobs/get')
  })
})

describe('isError', () => {
  const notFound = Blobs.get.error('NotFound', { hash: 'h' })

  it('tells the error of a name', () => {
    expect(Blobs.get.isError(notFound, 'NotFound')).toBe(true)
    expect(Blobs.get.isError(notFound, 'Full')).toBe(false)
  })

  it('tells any declared error where no name is given', () => {
    expect(Blobs.get.isError(notFound)).toBe(true)
    expect(Blobs.get.isError(new RpcError('not_found'))).toBe(false)
    expect(Blobs.plain.isError(notFound)).toBe(false)
  })

  it.each([undefined, null, 'NotFound', new Error('x'), { name: 'NotFound', code: 'not_found', data: {} }])(
    'is false for %o',
    (value) => {
      expect(Blobs.get.isError(value)).toBe(false)
      expect(Blobs.get.isError(value, 'NotFound')).toBe(false)
    },
  )

  it('is false for a name that is not declared, though the error has it', () => {
    const error = new RpcError('unknown', 'x', { name: 'toString' })
    expect(Blobs.get.isError(error)).toBe(false)
    expect(Blobs.get.isError(error, 'toString' as never)).toBe(false)
  })
})

describe('a declared error on its way', () => {
  function served() {
    const { connector, listener } = createTransport()
    const errors: unknown[] = []
    serve(
      Node,
      {
        blobs: {
          async get(hash) {
            throw Blobs.get.error('NotFound', { hash }, `no blob ${hash}`)
          },
          async *list() {
            yield 'first'
            throw Blobs.list.error('NotFound', { dir: '/' })
          },
          async plain() {},
        },
      },
      listener,
      { onError: (error) => errors.push(error) },
    )
    return { client: createClient(Node, connector), errors }
  }

  it('reaches the client with code, message, name and data, and nobody else', async () => {
    const { client, errors } = served()
    const error = await failure(client.blobs.get('h'))
    expect(error).toMatchObject({ code: 'not_found', message: 'no blob h', name: 'NotFound', data: { hash: 'h' } })
    expect(errors).toEqual([])
  })

  it('is known by the nested contract and by the outer one', async () => {
    const { client } = served()
    const error = await failure(client.blobs.get('h'))
    expect(Blobs.get.isError(error, 'NotFound')).toBe(true)
    expect(Node.blobs.get.isError(error, 'NotFound')).toBe(true)
  })

  it('ends a stream after what came before it', async () => {
    const { client } = served()
    const seen: string[] = []
    const error = await thrown(async () => {
      for await (const item of client.blobs.list()) seen.push(item)
    })
    expect(seen).toEqual(['first'])
    expect(Node.blobs.list.isError(error, 'NotFound') && error.data.dir).toBe('/')
    expect((await failure(all(client.blobs.list()))).name).toBe('NotFound')
  })
})
