/* oxlint-disable typescript/no-floating-promises, typescript/unbound-method, typescript/await-thenable, typescript/no-misused-promises, no-unused-expressions, no-unused-vars, require-yield, unicorn/no-thenable, typescript/switch-exhaustiveness-check, vitest/expect-expect, vitest/valid-expect -- nothing here ever runs */
import {
  bidiStreaming,
  type Context,
  clientStreaming,
  createRouter,
  type Handler,
  type Handlers,
  type Interceptor,
  type Listener,
  notify,
  type Server,
  serve,
  serverStreaming,
  service,
  type UpdateStream,
  unary,
} from '@qrpc/core'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

declare const listener: Listener

const Kit = service('kit', {
  call: unary<number, string>(),
  collect: clientStreaming<number, boolean, string>(),
  produce: serverStreaming<number, string>(),
  talk: bidiStreaming<number, boolean, string>(),
  tell: notify<number>(),
})
declare const kit: Handlers<typeof Kit>

describe('handlers', () => {
  test('have parameters that nobody needs to write down', () => {
    const server = serve(
      Kit,
      {
        async call(request, context) {
          expectTypeOf(request).toEqualTypeOf<number>()
          expectTypeOf(context).toEqualTypeOf<Context>()
          return ''
        },
        collect: async (request, updates, { signal }) => {
          expectTypeOf(request).toEqualTypeOf<number>()
          expectTypeOf(updates).toEqualTypeOf<UpdateStream<boolean>>()
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
          for await (const update of updates) expectTypeOf(update).toEqualTypeOf<boolean>()
          return ''
        },
        async *produce(request, context) {
          expectTypeOf(request).toEqualTypeOf<number>()
          expectTypeOf(context).toEqualTypeOf<Context>()
          yield ''
        },
        async *talk(request, updates, context) {
          expectTypeOf(request).toEqualTypeOf<number>()
          expectTypeOf(updates).toEqualTypeOf<UpdateStream<boolean>>()
          expectTypeOf(context).toEqualTypeOf<Context>()
          yield ''
        },
        tell(request, context) {
          expectTypeOf(request).toEqualTypeOf<number>()
          expectTypeOf(context).toEqualTypeOf<Context>()
        },
      },
      listener,
    )
    expectTypeOf(server).toEqualTypeOf<Server>()
  })

  test('of nested services have, too', () => {
    const Outer = service('outer', { middle: service('middle', { kit: Kit }) })
    createRouter(Outer, {
      middle: {
        kit: {
          ...kit,
          call: (request, { metadata }) => {
            expectTypeOf(request).toEqualTypeOf<number>()
            return String(metadata.get('k'))
          },
        },
      },
    })
  })

  test('may return at once or later, and any iterable', () => {
    createRouter(Kit, {
      call: (n) => String(n),
      collect: () => '',
      produce: () => ['a'],
      *talk() {
        yield 'a'
      },
      async tell() {},
    })
  })

  test('may be an instance of a class', () => {
    class Module implements Handlers<typeof Kit> {
      readonly extra = 5
      call = kit.call
      collect = kit.collect
      talk = kit.talk
      tell = kit.tell
      async *produce(count: number): AsyncGenerator<string> {
        yield String(count + this.extra)
      }
    }
    serve(Kit, new Module(), listener)
  })

  test('can be written one by one', () => {
    const call: Handler<typeof Kit.call> = async (n) => String(n)
    expectTypeOf(call).parameter(0).toEqualTypeOf<number>()
    createRouter(Kit, { ...kit, call })
  })

  test('must all be there', () => {
    const { call, ...others } = kit
    // @ts-expect-error `call` is missing
    serve(Kit, others, listener)
    // @ts-expect-error all are missing
    createRouter(Kit, {})
    // @ts-expect-error the nested service is missing
    createRouter(service('outer', { kit: Kit }), {})
    // @ts-expect-error a handler of the nested service is missing
    createRouter(service('outer', { kit: Kit }), { kit: others })
  })

  test('must not be more', () => {
    // @ts-expect-error there is no `extra` in the contract
    serve(Kit, { ...kit, extra: async () => {} }, listener)
    // @ts-expect-error there is no `extra` in the nested service
    createRouter(service('outer', { kit: Kit }), { kit: { ...kit, extra() {} } })
  })

  test('must be of the pattern', () => {
    // @ts-expect-error a unary handler returns one response
    createRouter(Kit, { ...kit, async *call() {} })
    // @ts-expect-error a streaming handler returns an iterable, not a promise
    createRouter(Kit, { ...kit, produce: async () => '' })
    // @ts-expect-error a streaming handler is a generator, not a promise of a list
    createRouter(Kit, { ...kit, produce: async () => ['a'] })
    // @ts-expect-error the second parameter of a unary handler is the context
    createRouter(Kit, { ...kit, call: async (_: number, __: UpdateStream<boolean>) => '' })
    // @ts-expect-error a notify has no response
    createRouter(Kit, { ...kit, async *tell() {} })
    // @ts-expect-error a handler is a function
    createRouter(Kit, { ...kit, call: 'text' })
  })

  test('must answer with the response type', () => {
    // @ts-expect-error the response is text
    createRouter(Kit, { ...kit, call: async (n) => n })
    // @ts-expect-error the response is missing
    createRouter(Kit, { ...kit, async call() {} })
    // @ts-expect-error the response is text
    createRouter(Kit, { ...kit, collect: () => 5 })
    createRouter(Kit, {
      ...kit,
      // @ts-expect-error the responses are text
      async *produce() {
        yield 5
      },
    })
    createRouter(Kit, {
      ...kit,
      // @ts-expect-error the responses are text
      async *talk(n) {
        yield n
      },
    })
  })

  test('must take the request type', () => {
    // @ts-expect-error the request is a number
    createRouter(Kit, { ...kit, call: async (text: string) => text })
    // @ts-expect-error the updates are booleans
    createRouter(Kit, { ...kit, collect: async (_: number, __: UpdateStream<number>) => '' })
  })

  test('are of a contract', () => {
    // @ts-expect-error an object is no contract
    createRouter({ call: unary() }, { call() {} })
  })
})

const Checked = service('checked', {
  zod: clientStreaming({
    request: z.string().transform(Number),
    update: z.object({ n: z.number().default(1) }),
    response: z.number().transform((n) => [n]),
  }),
  valibot: clientStreaming({
    request: v.pipe(v.string(), v.transform(Number)),
    update: v.object({ n: v.optional(v.number(), 1) }),
    response: v.pipe(
      v.number(),
      v.transform((n) => [n]),
    ),
  }),
  none: unary({}),
})
declare const checked: Handlers<typeof Checked>

describe('schemas', () => {
  test('say what the handler gets, which is their output, and what it gives, which is their input', () => {
    expectTypeOf(checked.zod).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(checked.zod).parameter(1).toEqualTypeOf<UpdateStream<{ n: number }>>()
    expectTypeOf(checked.zod).returns.toEqualTypeOf<number | Promise<number>>()
    expectTypeOf(checked.valibot).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(checked.valibot).parameter(1).toEqualTypeOf<UpdateStream<{ n: number }>>()
    expectTypeOf(checked.valibot).returns.toEqualTypeOf<number | Promise<number>>()
    expectTypeOf(checked.none).parameter(0).toEqualTypeOf<void>()
    // @ts-expect-error the response of the handler is what goes into the schema
    createRouter(Checked, { ...checked, zod: async (n) => [n] })
  })
})

describe('an interceptor', () => {
  test('is one shape for both sides', () => {
    const timing: Interceptor = async (call, next) => {
      expectTypeOf(call.method).toEqualTypeOf<string>()
      expectTypeOf(call.request).toEqualTypeOf<unknown>()
      expectTypeOf(call.updates).toEqualTypeOf<AsyncIterable<unknown> | undefined>()
      return next({ ...call, request: 5 })
    }
    serve(Kit, kit, listener, { interceptors: [timing] })
  })

  test('returns what next gave, or a result', () => {
    // @ts-expect-error it returns nothing
    const nothing: Interceptor = async () => {}
    const answer: Interceptor = async () => ({ response: 5 })
    expectTypeOf(nothing).toEqualTypeOf(answer)
  })
})
