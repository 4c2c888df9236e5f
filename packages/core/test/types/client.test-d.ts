/* oxlint-disable typescript/no-floating-promises, typescript/unbound-method, typescript/await-thenable, typescript/no-misused-promises, no-unused-expressions, no-unused-vars, require-yield, unicorn/no-thenable, typescript/switch-exhaustiveness-check, vitest/expect-expect, vitest/valid-expect -- nothing here ever runs */
import {
  type BidiStreamingCall,
  bidiStreaming,
  type CallOptions,
  type ClientStreamingCall,
  type Connector,
  clientStreaming,
  createClient,
  notify,
  type ServerStreamingCall,
  serverStreaming,
  service,
  type,
  unary,
} from '@qrpc/core'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

declare const connector: Connector
declare const numbers: AsyncIterable<number>

const Kit = service('kit', {
  call: unary<number, string>(),
  collect: clientStreaming<number, boolean, string>(),
  produce: serverStreaming<number, string>(),
  talk: bidiStreaming<number, boolean, string>(),
  tell: notify<number>(),
})
const Nothing = service('nothing', {
  call: unary(),
  collect: clientStreaming<void, number, number>(),
  produce: serverStreaming<void, number>(),
  talk: bidiStreaming<void, number, number>(),
  tell: notify(),
  maybe: unary<number | undefined, number>(),
})
const client = createClient(Kit, connector)
const nothing = createClient(Nothing, connector)

describe('a function of a client', () => {
  test('of each pattern takes and gives what the contract says', () => {
    expectTypeOf(client.call).parameters.toEqualTypeOf<[request: number, options?: CallOptions]>()
    expectTypeOf(client.call(1)).toEqualTypeOf<Promise<string>>()
    expectTypeOf(client.collect(1)).toEqualTypeOf<ClientStreamingCall<boolean, string>>()
    expectTypeOf(client.collect(1, [true])).toEqualTypeOf<Promise<string>>()
    expectTypeOf(client.collect(1, { timeout: 1 })).toEqualTypeOf<ClientStreamingCall<boolean, string>>()
    expectTypeOf(client.produce(1)).toEqualTypeOf<ServerStreamingCall<string>>()
    expectTypeOf(client.talk(1)).toEqualTypeOf<BidiStreamingCall<boolean, string>>()
    expectTypeOf(client.talk(1, [true])).toEqualTypeOf<ServerStreamingCall<string>>()
    expectTypeOf(client.talk(1, new Set([true]), { timeout: 1 })).toEqualTypeOf<ServerStreamingCall<string>>()
    expectTypeOf(client.tell(1)).toEqualTypeOf<Promise<void>>()
  })

  test('needs its request', () => {
    // @ts-expect-error the request is missing
    client.call()
    // @ts-expect-error the request is missing
    client.collect()
    // @ts-expect-error the request is missing
    client.produce()
    // @ts-expect-error the request is missing
    client.talk()
    // @ts-expect-error the request is missing
    client.tell()
  })

  test('takes no request of another type', () => {
    // @ts-expect-error a number is needed
    client.call('1')
    // @ts-expect-error a number is needed
    client.collect('1')
    // @ts-expect-error a number is needed
    client.produce('1')
    // @ts-expect-error a number is needed
    client.talk('1')
    // @ts-expect-error a number is needed
    client.tell('1')
  })

  test('needs no request where that is void or may be undefined', () => {
    expectTypeOf(nothing.call()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(nothing.collect()).toEqualTypeOf<ClientStreamingCall<number, number>>()
    expectTypeOf(nothing.collect(undefined, numbers)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(nothing.produce()).toEqualTypeOf<ServerStreamingCall<number>>()
    expectTypeOf(nothing.talk()).toEqualTypeOf<BidiStreamingCall<number, number>>()
    expectTypeOf(nothing.talk(undefined, numbers)).toEqualTypeOf<ServerStreamingCall<number>>()
    expectTypeOf(nothing.tell()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(nothing.maybe()).toEqualTypeOf<Promise<number>>()
    nothing.call(undefined, { timeout: 1 })
    // @ts-expect-error the options come after the request
    nothing.call({ timeout: 1 })
    // @ts-expect-error the method has no request
    nothing.call(5)
  })

  test('takes updates of the declared type only', () => {
    // @ts-expect-error updates are booleans
    client.collect(1, [5])
    // @ts-expect-error updates are booleans
    client.talk(1, numbers)
    // @ts-expect-error updates are booleans
    client.collect(1).send(5)
    // @ts-expect-error updates are booleans
    client.talk(1).trySend(5)
    // @ts-expect-error a unary call has no updates
    client.call(1, [true])
    // @ts-expect-error a server-streaming call has no updates
    client.produce(1).send(true)
  })

  test('takes options', () => {
    client.call(1, { signal: new AbortController().signal, timeout: 5, deadline: new Date(), metadata: { k: ['v'] } })
    client.call(1, { deadline: 5, metadata: [['k', new Uint8Array()]] })
    // @ts-expect-error no such option
    client.call(1, { timeuot: 5 })
    // @ts-expect-error a time is a number
    client.call(1, { timeout: '5s' })
    // @ts-expect-error a value is text or bytes
    client.call(1, { metadata: { k: 5 } })
  })

  test('can be typed ahead by the client of its contract', () => {
    expectTypeOf(client).toExtend<AsyncDisposable>()
    // @ts-expect-error there is no such method
    client.other
    // @ts-expect-error a client is read-only
    client.call = async () => ''
  })
})

describe('a call', () => {
  test('is never a thenable, except one that is a promise', () => {
    // @ts-expect-error not a thenable
    client.collect(1).then
    // @ts-expect-error not a thenable
    client.produce(1).then
    // @ts-expect-error not a thenable
    client.talk(1).then
    expectTypeOf<Awaited<ClientStreamingCall<boolean, string>>>().toEqualTypeOf<ClientStreamingCall<boolean, string>>()
    expectTypeOf<Awaited<BidiStreamingCall<boolean, string>>>().toEqualTypeOf<BidiStreamingCall<boolean, string>>()
  })

  test('gives its responses typed', async () => {
    for await (const response of client.produce(1)) expectTypeOf(response).toEqualTypeOf<string>()
    for await (const response of client.talk(1)) expectTypeOf(response).toEqualTypeOf<string>()
    expectTypeOf(await client.produce(1).receive()).toEqualTypeOf<string | undefined>()
    expectTypeOf(client.produce(1).started).toEqualTypeOf<Promise<void>>()
    expectTypeOf(client.collect(1).finish()).toEqualTypeOf<Promise<string>>()
    expectTypeOf(client.collect(1).response).toEqualTypeOf<Promise<string>>()
    expectTypeOf(client.collect(1).send(true)).toEqualTypeOf<Promise<void> | undefined>()
  })

  test('has what its pattern has, no more', () => {
    client.talk(1).end()
    // @ts-expect-error there is one response: finish() ends the updates
    client.collect(1).end()
    // @ts-expect-error there are no updates to end
    client.produce(1).finish()
    // @ts-expect-error the updates come from the iterable
    client.talk(1, [true]).send(true)
  })

  test('can be used and cancelled', () => {
    expectTypeOf(client.collect(1)).toExtend<Disposable>()
    expectTypeOf(client.produce(1)).toExtend<Disposable & AsyncIterable<string>>()
    expectTypeOf(client.talk(1).cancel).parameters.toEqualTypeOf<[reason?: unknown]>()
  })
})

describe('nested services', () => {
  const Middle = service('middle', { kit: Kit, own: unary<void, number>() })
  const Outer = service('outer', { middle: Middle })
  const outer = createClient(Outer, connector)

  test('are objects in the client, at any depth', () => {
    expectTypeOf(outer.middle.kit.call(1)).toEqualTypeOf<Promise<string>>()
    expectTypeOf(outer.middle.own()).toEqualTypeOf<Promise<number>>()
    // @ts-expect-error there is no such method
    outer.middle.call(1)
  })

  test('have clients of their own', () => {
    expectTypeOf(createClient(Outer.middle.kit, connector).produce(1)).toEqualTypeOf<ServerStreamingCall<string>>()
    // @ts-expect-error a method is no contract
    createClient(Outer.middle.own, connector)
    // @ts-expect-error an object is no contract
    createClient({ call: unary() }, connector)
  })
})

describe('schemas', () => {
  const Checked = service('checked', {
    zod: bidiStreaming({
      request: z.string().transform(Number),
      update: z.object({ n: z.number().default(1) }),
      response: z.number().transform((n) => [n]),
    }),
    valibot: bidiStreaming({
      request: v.pipe(v.string(), v.transform(Number)),
      update: v.object({ n: v.optional(v.number(), 1) }),
      response: v.pipe(
        v.number(),
        v.transform((n) => [n]),
      ),
    }),
    optional: unary({ request: z.string().optional() }),
    defaulted: unary({ request: z.string().default('x'), response: type<number>() }),
    none: unary({}),
  })
  const checked = createClient(Checked, connector)

  test('say what the client gives, which is their input', () => {
    expectTypeOf(checked.zod).parameter(0).toEqualTypeOf<string>()
    expectTypeOf(checked.valibot).parameter(0).toEqualTypeOf<string>()
    expectTypeOf(checked.zod('').send).parameters.toEqualTypeOf<[update: { n?: number | undefined }]>()
    expectTypeOf(checked.valibot('').send).parameters.toEqualTypeOf<[update: { n?: number | undefined }]>()
    // @ts-expect-error the schema's output is what the handler gets
    checked.zod(5)
    // @ts-expect-error the schema's output is what the handler gets
    checked.valibot(5)
  })

  test('say what the client gets, which is their output', () => {
    expectTypeOf(checked.zod('')).toExtend<AsyncIterable<number[]>>()
    expectTypeOf(checked.valibot('')).toExtend<AsyncIterable<number[]>>()
  })

  test('make a request optional whose input may be undefined', () => {
    checked.optional()
    expectTypeOf(checked.defaulted()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(checked.none()).toEqualTypeOf<Promise<void>>()
  })
})
