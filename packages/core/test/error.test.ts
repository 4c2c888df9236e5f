import { CODES, errorForPeer, isCode, RpcError } from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { bed } from './support/bed.ts'
import { failure } from './support/wait.ts'

describe('RpcError', () => {
  it('is an Error with a code and a message', () => {
    const error = new RpcError('not_found', 'no such key')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code: 'not_found', message: 'no such key', name: 'RpcError', data: undefined })
    expect(String(error)).toBe('RpcError: no such key')
  })

  it('has the code as its message where none is given', () => {
    expect(new RpcError('aborted').message).toBe('aborted')
  })

  it('carries a name and data', () => {
    const error = new RpcError('not_found', 'gone', { name: 'NotFound', data: { key: 'a' } })
    expect(error).toMatchObject({ name: 'NotFound', data: { key: 'a' } })
    expect(String(error)).toBe('NotFound: gone')
  })

  it('has a cause only where one is given', () => {
    const cause = new Error('the root')
    expect(new RpcError('internal', 'x', { cause }).cause).toBe(cause)
    expect('cause' in new RpcError('internal', 'x', { data: 1 })).toBe(false)
  })

  it('takes a code that it does not know for unknown', () => {
    expect(new RpcError('teapot' as never).code).toBe('unknown')
  })

  it('shows nothing of its brand', () => {
    expect(Object.getOwnPropertyNames(new RpcError('internal')).sort()).not.toContain('brand')
    expect(Object.keys(new RpcError('internal')).sort()).toEqual(['code', 'data', 'name'])
    expect(JSON.parse(JSON.stringify(new RpcError('internal', 'x', { data: 1 })))).toEqual({
      code: 'internal',
      data: 1,
      name: 'RpcError',
    })
  })
})

describe('instanceof RpcError', () => {
  it('holds for the errors of another copy of the package', async () => {
    vi.resetModules()
    const copy = await import('@qrpc/core')
    expect(copy.RpcError).not.toBe(RpcError)
    const foreign = new copy.RpcError('aborted')
    expect(foreign).toBeInstanceOf(RpcError)
    expect(RpcError.from(foreign)).toBe(foreign)
  })

  it.each([undefined, null, 'internal', new Error('x'), { code: 'internal', message: 'x', name: 'RpcError' }])(
    'does not hold for %o',
    (value) => {
      expect(value instanceof RpcError).toBe(false)
    },
  )

  it('tells a subclass from its base', () => {
    class QuotaError extends RpcError {}
    const quota = new QuotaError('resource_exhausted')
    expect(quota).toBeInstanceOf(QuotaError)
    expect(quota).toBeInstanceOf(RpcError)
    expect(new RpcError('resource_exhausted')).not.toBeInstanceOf(QuotaError)
  })
})

describe('RpcError.from', () => {
  it('gives an RpcError back as it is', () => {
    const error = new RpcError('aborted')
    expect(RpcError.from(error, 'internal')).toBe(error)
  })

  it('wraps any other error: its message, itself as the cause', () => {
    const cause = new TypeError('bad')
    expect(RpcError.from(cause, 'unavailable')).toMatchObject({ code: 'unavailable', message: 'bad', cause })
  })

  it('says unknown where no code is given', () => {
    expect(RpcError.from(new Error('x')).code).toBe('unknown')
  })

  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    [Symbol('s'), 'Symbol(s)'],
  ])('wraps %o', (cause, message) => {
    expect(RpcError.from(cause)).toMatchObject({ code: 'unknown', message, cause })
  })

  it('wraps even what cannot be turned into a string', () => {
    const cause: unknown = Object.create(null)
    expect(RpcError.from(cause)).toMatchObject({ code: 'unknown', cause })
  })
})

describe('codes', () => {
  it('are those of gRPC without ok', () => {
    expect(CODES).toHaveLength(16)
    expect(new Set(CODES).size).toBe(16)
  })

  it('are told from other values', () => {
    expect(CODES.every(isCode)).toBe(true)
    for (const other of ['ok', 'NOT_FOUND', '', undefined, 5]) expect(isCode(other)).toBe(false)
  })
})

describe('an error that crosses to the peer', () => {
  it('keeps code, message, name and data and loses its cause', () => {
    const here = new RpcError('not_found', 'gone', { name: 'NotFound', data: { key: 1 }, cause: new Error('secret') })
    const there = errorForPeer(here)
    expect(there).not.toBe(here)
    expect(there).toMatchObject({ code: 'not_found', message: 'gone', name: 'NotFound', data: { key: 1 } })
    expect('cause' in there).toBe(false)
  })

  it('reaches the client like that when a handler throws it', async () => {
    const { client, errors } = bed({
      handlers: {
        call() {
          throw new RpcError('permission_denied', 'not you', { data: { who: 'you' }, cause: new Error('secret') })
        },
      },
    })
    const error = await failure(client.call(1))
    expect(error).toMatchObject({ code: 'permission_denied', message: 'not you', data: { who: 'you' } })
    expect(error.cause).toBeUndefined()
    expect(errors).toEqual([])
  })
})
