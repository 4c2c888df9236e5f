/* oxlint-disable typescript/no-floating-promises, typescript/unbound-method, typescript/await-thenable, typescript/no-misused-promises, no-unused-expressions, no-unused-vars, require-yield, unicorn/no-thenable, typescript/switch-exhaustiveness-check, vitest/expect-expect, vitest/valid-expect -- nothing here ever runs */
import {
  bidiStreaming,
  clientStreaming,
  type Method,
  notify,
  type PlainTypes,
  RpcError,
  serverStreaming,
  service,
  type,
  unary,
} from '@qrpc/core'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

describe('a contract', () => {
  const Inner = service('inner', { sqr: unary<number, string>() })
  const Outer = service('outer', { inner: Inner, tell: notify<string>() })

  test('has its members as properties, typed', () => {
    expectTypeOf(Outer.inner.sqr).toEqualTypeOf<Method<'unary', PlainTypes<number, void, string>>>()
    expectTypeOf(Outer.tell.pattern).toEqualTypeOf<'notify'>()
    expectTypeOf(Outer.inner.sqr.path).toEqualTypeOf<string>()
    // @ts-expect-error there is no such member
    Outer.other
    // @ts-expect-error there is no such member
    Outer.inner.other
  })

  test('cannot be changed', () => {
    // @ts-expect-error a contract is read-only
    Outer.tell = notify<string>()
  })

  test('has no reserved names', () => {
    // @ts-expect-error reserved: it would make a thenable of the client
    // biome-ignore lint/suspicious/noThenProperty: that is the case.
    service('s', { then: unary() })
    // @ts-expect-error reserved
    service('s', { catch: unary() })
    // @ts-expect-error reserved
    service('s', { finally: unary() })
    // @ts-expect-error reserved
    service('s', { constructor: unary() })
    // @ts-expect-error reserved
    service('s', { prototype: unary() })
    // @ts-expect-error reserved
    service('s', { toString: unary() })
    // @ts-expect-error reserved
    service('s', { toJSON: unary() })
    // @ts-expect-error reserved
    service('s', { valueOf: unary() })
    // @ts-expect-error reserved, for a nested service, too
    // biome-ignore lint/suspicious/noThenProperty: that is the case.
    service('s', { then: Inner })
  })

  test('has methods and services as members, nothing else', () => {
    // @ts-expect-error a number is no method
    service('s', { m: 5 })
    // @ts-expect-error the builder is to be called
    service('s', { m: unary })
    // @ts-expect-error an object is no service
    service('s', { m: { inner: unary() } })
    // @ts-expect-error the name comes first
    service({ m: unary() })
  })
})

describe('a method', () => {
  test('has no messages where none are given', () => {
    type NoTypes = PlainTypes<void, void, void>
    expectTypeOf(unary()).toEqualTypeOf<Method<'unary', NoTypes>>()
    expectTypeOf(clientStreaming()).toEqualTypeOf<Method<'clientStreaming', NoTypes>>()
    expectTypeOf(serverStreaming()).toEqualTypeOf<Method<'serverStreaming', NoTypes>>()
    expectTypeOf(bidiStreaming()).toEqualTypeOf<Method<'bidiStreaming', NoTypes>>()
    expectTypeOf(notify()).toEqualTypeOf<Method<'notify', NoTypes>>()
  })

  test('takes schemas of any library beside types alone', () => {
    bidiStreaming({ request: z.string(), update: v.number(), response: type<Uint8Array>() })
    // @ts-expect-error a type alone is given by type<T>()
    unary({ request: String })
  })

  test('takes no schema for a message that its pattern does not have', () => {
    // @ts-expect-error a unary call has no updates
    unary({ update: z.string() })
    // @ts-expect-error a server-streaming call has no updates
    serverStreaming({ update: z.string() })
    // @ts-expect-error a notify has no response
    notify({ response: z.string() })
    // @ts-expect-error a notify has no updates
    notify({ update: z.string() })
  })

  test('takes no option that there is not', () => {
    // @ts-expect-error it is called `request`
    unary({ requests: z.string() })
  })
})

describe('declared errors', () => {
  const Blobs = service('blobs', {
    get: unary({
      request: type<string>(),
      errors: {
        NotFound: z.object({ hash: z.string() }),
        Full: { code: 'resource_exhausted', data: v.object({ limit: v.number() }) },
        Parsed: z.string().transform(Number),
        Odd: type<void>(),
      },
    }),
    plain: unary(),
  })
  const error: unknown = undefined

  test('narrow by name to the type of their data', () => {
    if (Blobs.get.isError(error, 'NotFound')) {
      expectTypeOf(error).toEqualTypeOf<RpcError<'NotFound', { hash: string }>>()
      expectTypeOf(error.data.hash).toEqualTypeOf<string>()
      // @ts-expect-error that is the data of another error
      error.data.limit
    }
    if (Blobs.get.isError(error, 'Full')) expectTypeOf(error.data).toEqualTypeOf<{ limit: number }>()
    if (Blobs.get.isError(error, 'Odd')) expectTypeOf(error.data).toEqualTypeOf<void>()
  })

  test('narrow without a name to all of them, then by a switch', () => {
    if (!Blobs.get.isError(error)) return
    expectTypeOf(error.name).toEqualTypeOf<'NotFound' | 'Full' | 'Parsed' | 'Odd'>()
    switch (error.name) {
      case 'NotFound':
        expectTypeOf(error.data).toEqualTypeOf<{ hash: string }>()
        break
      case 'Full':
        expectTypeOf(error.data).toEqualTypeOf<{ limit: number }>()
        break
      default:
        expectTypeOf(error.name).toEqualTypeOf<'Parsed' | 'Odd'>()
    }
  })

  test('narrow in a nested service as in its own', () => {
    const Node = service('node', { blobs: Blobs })
    if (Node.blobs.get.isError(error, 'NotFound')) expectTypeOf(error.data).toEqualTypeOf<{ hash: string }>()
  })

  test('are made with the data that was declared', () => {
    expectTypeOf(Blobs.get.error('NotFound', { hash: 'h' })).toEqualTypeOf<RpcError<'NotFound', { hash: string }>>()
    Blobs.get.error('NotFound', { hash: 'h' }, 'a message')
    Blobs.get.error('Odd')
    // @ts-expect-error the data is missing
    Blobs.get.error('NotFound')
    // @ts-expect-error the data is of another type
    Blobs.get.error('NotFound', { hash: 5 })
    // @ts-expect-error the data is that of another error
    Blobs.get.error('NotFound', { limit: 5 })
    // @ts-expect-error there is no such error
    Blobs.get.error('Other', {})
    // @ts-expect-error there is no such error
    Blobs.get.isError(error, 'Other')
    // @ts-expect-error the method declares none
    Blobs.plain.error('NotFound', { hash: 'h' })
  })

  test('have a code that exists', () => {
    // @ts-expect-error no such code
    unary({ errors: { Full: { code: 'full', data: type<void>() } } })
    // @ts-expect-error no such code
    new RpcError('full')
  })
})
