import {
  createClient,
  createContextKey,
  type InterceptedCall,
  type Interceptor,
  RpcError,
  serve,
  service,
  type,
  unary,
} from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { bed, CALLS, hanging } from './support/bed.ts'
import { createTransport } from './support/transport.ts'
import { aborted, all, failure, gate, never, thrown, turns } from './support/wait.ts'

const pass: Interceptor = (call, next) => next(call)
const STREAMS_RESPONSES = new Set(['serverStreaming', 'bidiStreaming'])
// The caller of a notify does not learn what becomes of it.
const WAITING = CALLS.filter(({ name }) => name !== 'notify')

async function* map<T, R>(items: AsyncIterable<T>, change: (item: T) => R): AsyncGenerator<R> {
  for await (const item of items) yield change(item)
}

describe('an interceptor of the server', () => {
  it.each(CALLS)('that passes on changes nothing: $name', async ({ run, result }) => {
    const { client, size, errors } = bed({ serverInterceptors: [pass, pass] })
    expect(await run(client)).toEqual(result)
    await turns()
    expect(size()).toBe(0)
    expect(errors).toEqual([])
  })

  it.each(CALLS)('wraps those after it and the handler, the first one outermost: $name', async ({ run }) => {
    const log: string[] = []
    const logging =
      (name: string): Interceptor =>
      async (call, next) => {
        log.push(`${name} in`)
        const result = await next(call)
        log.push(`${name} out`)
        return result
      }
    const { client } = bed({ serverInterceptors: [logging('a'), logging('b')] })
    await run(client)
    await turns()
    expect(log).toEqual(['a in', 'b in', 'b out', 'a out'])
  })

  it.each(CALLS)('sees what is called and how, with what, by whom: $name', async ({ run, method }) => {
    const calls: InterceptedCall[] = []
    const { client } = bed({
      serverInterceptors: [
        (call, next) => {
          calls.push(call)
          return next(call)
        },
      ],
    })
    await run(client, { metadata: { k: 'v' }, timeout: 60_000 })
    const call = calls[0] as InterceptedCall
    expect(call.method).toBe(method)
    expect(call.request).toBeTypeOf('number')
    expect(call.metadata.get('k')).toBe('v')
    expect(call.deadline).toBeGreaterThan(Date.now())
    expect(call.peer).toEqual({ transport: 'test', address: 'test:' })
    expect(call.updates !== undefined).toBe(['clientStreaming', 'bidiStreaming'].includes(call.pattern))
  })

  it('is the very function that a client takes, too', async () => {
    const log: string[] = []
    const both: Interceptor = async (call, next) => {
      log.push(call.method)
      return next(call)
    }
    const { client } = bed({ clientInterceptors: [both], serverInterceptors: [both] })
    for (const { run, result } of CALLS) expect(await run(client)).toEqual(result)
    expect(log).toEqual(CALLS.flatMap(({ method }) => [method, method]))
  })

  it('hands the handler its changes: request, metadata, updates', async () => {
    const { client } = bed({
      handlers: { tell() {}, call: (n, { metadata }) => n + Number(metadata.get('add')) },
      serverInterceptors: [
        (call, next) => {
          call.metadata.set('add', '100')
          const changed = { ...call, request: (call.request as number) + 1 }
          return next(call.updates ? { ...changed, updates: map(call.updates, (n) => (n as number) * 10) } : changed)
        },
      ],
    })
    expect(await client.call(1)).toBe(102)
    expect(await client.collect(0, [1, 2])).toBe(31)
    expect(await all(client.talk(1, [1, 2]))).toEqual([20, 40])
    expect(await all(client.produce(1))).toEqual([0, 1])
  })

  it('gives wrapped updates to a handler that reads them one by one, too', async () => {
    const { client } = bed({
      handlers: {
        async collect(_, updates) {
          let sum = 0
          for (let n = await updates.receive(); !updates.ended; n = await updates.receive()) sum += n as number
          return sum
        },
      },
      serverInterceptors: [
        (call, next) => next(call.updates ? { ...call, updates: map(call.updates, (n) => (n as number) * 10) } : call),
      ],
    })
    expect(await client.collect(0, [1, 2])).toBe(30)
  })

  it('changes the response, and wraps each response of a stream', async () => {
    const { client } = bed({
      serverInterceptors: [
        async (call, next) => {
          const { response, responses } = await next(call)
          return responses === undefined
            ? { response: -(response as number) }
            : { responses: map(responses, (n) => -(n as number)) }
        },
      ],
    })
    expect(await client.call(1)).toBe(-2)
    expect(await client.collect(1, [2])).toBe(-3)
    expect(await all(client.produce(3))).toEqual([-0, -1, -2])
    expect(await all(client.talk(2, [1, 2]))).toEqual([-2, -4])
  })

  it.each(WAITING)('answers itself, without the handler: $name', async ({ run }) => {
    const hang = hanging()
    const { client } = bed({
      handlers: hang.handlers,
      serverInterceptors: [
        async ({ pattern }) => {
          if (!STREAMS_RESPONSES.has(pattern)) return { response: 42 }
          return {
            responses: (async function* () {
              yield 42
            })(),
          }
        },
      ],
    })
    expect([42, [42]]).toContainEqual(await run(client))
    expect(hang.signals).toEqual([])
  })

  it.each(WAITING)('refuses by a throw, without the handler: $name', async ({ run }) => {
    const hang = hanging()
    const { client, errors } = bed({
      handlers: hang.handlers,
      serverInterceptors: [() => Promise.reject(new RpcError('unauthenticated', 'no token'))],
    })
    expect(await failure(run(client))).toMatchObject({ code: 'unauthenticated', message: 'no token' })
    expect(hang.signals).toEqual([])
    expect(errors).toEqual([])
  })

  it.each(WAITING)(
    'that throws something else is an internal error that only the server is told: $name',
    async ({ run, method }) => {
      const bug = new TypeError('bug')
      const { client, errors } = bed({
        serverInterceptors: [
          () => {
            throw bug
          },
        ],
      })
      expect(await failure(run(client))).toMatchObject({ code: 'internal', message: 'internal error' })
      expect(errors).toMatchObject([{ error: bug, source: { method } }])
    },
  )

  it.each(WAITING)('that returns nothing fails the call with internal: $name', async ({ run }) => {
    const { client } = bed({ serverInterceptors: [(async () => {}) as never] })
    expect((await failure(run(client))).code).toBe('internal')
  })

  it('that returns nothing is a mistake of the server, which is told', async () => {
    const { client, errors } = bed({ serverInterceptors: [(async () => {}) as never] })
    await failure(client.call(1))
    expect(errors.map(({ error }) => String(error))).toEqual([expect.stringContaining('interceptor')])
  })

  it('that drops the updates of a call fails it with internal', async () => {
    const { client } = bed({ serverInterceptors: [(call, next) => next({ ...call, updates: undefined })] })
    expect((await failure(client.collect(1, [1]))).code).toBe('internal')
  })

  it.each(WAITING)('maps errors: $name', async ({ run }) => {
    const fail = (): never => {
      throw new Error('ENOENT')
    }
    const { client, errors } = bed({
      handlers: { call: fail, collect: fail, produce: fail, talk: fail },
      serverInterceptors: [
        async (call, next) => {
          try {
            return await next(call)
          } catch (cause) {
            throw new RpcError('not_found', 'no such file', { cause })
          }
        },
      ],
    })
    expect(await failure(run(client))).toMatchObject({ code: 'not_found', message: 'no such file' })
    expect(errors).toEqual([])
  })

  it('sees a failure before the first response as one of next, and a later one in the responses', async () => {
    const seen: string[] = []
    const { client } = bed({
      handlers: {
        async *produce(count) {
          if (count > 0) yield 1
          throw new RpcError('data_loss')
        },
      },
      serverInterceptors: [
        async (call, next) => {
          try {
            const result = await next(call)
            seen.push('started')
            return result
          } catch (error) {
            seen.push('failed')
            throw error
          }
        },
      ],
    })
    expect((await failure(client.produce(0).started)).code).toBe('data_loss')
    expect((await failure(all(client.produce(1)))).code).toBe('data_loss')
    expect(seen).toEqual(['failed', 'started'])
  })

  it('may call the handler again that failed before its first response', async () => {
    let attempts = 0
    const { client } = bed({
      handlers: {
        async *produce(count) {
          if (++attempts < 3) throw new RpcError('unavailable')
          yield count
        },
      },
      serverInterceptors: [
        async (call, next) => {
          for (;;) {
            try {
              return await next(call)
            } catch (error) {
              if (RpcError.from(error).code !== 'unavailable') throw error
            }
          }
        },
      ],
    })
    expect(await all(client.produce(7))).toEqual([7])
    expect(attempts).toBe(3)
  })

  it.each(WAITING)('that hangs past the deadline keeps neither side: $name', async ({ run }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
    try {
      const signals: AbortSignal[] = []
      const { client, size } = bed({
        serverInterceptors: [
          (call) => {
            signals.push(call.signal)
            return never()
          },
        ],
      })
      const outcome = failure(run(client, { timeout: 1_000 }))
      await turns()
      await vi.advanceTimersByTimeAsync(1_000)
      expect((await outcome).code).toBe('deadline_exceeded')
      expect(signals.map((signal) => signal.reason?.code)).toEqual(['deadline_exceeded'])
      expect(size()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it.each(WAITING)('does not stand between a cancel and the handler: $name', async ({ run }) => {
    const hang = hanging()
    const { client } = bed({ handlers: hang.handlers, serverInterceptors: [pass] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort()
    expect((await outcome).code).toBe('cancelled')
    expect(hang.signals.map((signal) => signal.reason?.code)).toEqual(['cancelled'])
  })

  it('runs the finally of a generator that it wraps when the caller leaves', async () => {
    const closed: string[] = []
    const { client } = bed({
      handlers: {
        async *produce() {
          try {
            for (let n = 0; ; n++) yield n
          } finally {
            closed.push('handler')
          }
        },
      },
      serverInterceptors: [
        async (call, next) => {
          const { responses } = await next(call)
          return { responses: map(responses as AsyncIterable<unknown>, (n) => n) }
        },
      ],
    })
    for await (const _ of client.produce(0)) break
    await turns()
    expect(closed).toEqual(['handler'])
  })

  it('sees the request as it came: schemas check what it passes on', async () => {
    const S = service('s', { double: unary({ request: z.string().transform(Number), response: type<number>() }) })
    const { connector, listener } = createTransport()
    const seen: unknown[] = []
    serve(S, { double: (n) => n * 2 }, listener, {
      interceptors: [
        (call, next) => {
          seen.push(call.request)
          return next(call.metadata.has('spoil') ? { ...call, request: 5 } : call)
        },
      ],
    })
    const client = createClient(S, connector)
    expect(await client.double('4')).toBe(8)
    expect(seen).toEqual(['4'])
    expect((await failure(client.double('4', { metadata: { spoil: '' } }))).code).toBe('invalid_argument')
  })

  it('is not asked for a method that is not there', async () => {
    let asked = false
    const { connector } = bed({
      serverInterceptors: [
        (call, next) => {
          asked = true
          return next(call)
        },
      ],
    })
    const Other = service('other', { m: unary() })
    expect((await failure(createClient(Other, connector).m())).code).toBe('unimplemented')
    expect(asked).toBe(false)
  })

  it('leaves the handler its context: signal, deadline, metadata, peer, method', async () => {
    const seen = gate<unknown>()
    const reason = gate<unknown>()
    const { client } = bed({
      serverInterceptors: [pass],
      handlers: {
        call(_, context) {
          const { deadline, metadata, peer, method } = context
          seen.resolve({ deadline: typeof deadline, metadata: [...metadata], peer: peer.transport, method })
          void aborted(context.signal).then((why) => reason.resolve(why))
          return never()
        },
      },
    })
    const abort = new AbortController()
    const outcome = failure(client.call(1, { metadata: { k: 'v' }, timeout: 60_000, signal: abort.signal }))
    expect(await seen.promise).toEqual({
      deadline: 'number',
      metadata: [['k', 'v']],
      peer: 'test',
      method: 'kit/call',
    })
    abort.abort()
    await outcome
    expect(await reason.promise).toMatchObject({ code: 'cancelled' })
  })
})

describe('the values of a call', () => {
  const User = createContextKey<string | undefined>('user', undefined)
  const Other = createContextKey('user', 'nobody')

  it('go from an interceptor to those after it and to the handler', async () => {
    const seen: unknown[] = []
    const { client } = bed({
      handlers: {
        call(_, { values }) {
          seen.push(values.get(User), values.get(Other))
          return 0
        },
      },
      serverInterceptors: [
        (call, next) => {
          call.values.set(User, 'ann')
          return next(call)
        },
        (call, next) => {
          seen.push(call.values.get(User))
          return next({ ...call })
        },
      ],
    })
    await client.call(1)
    expect(seen).toEqual(['ann', 'ann', 'nobody'])
  })

  it('are there, with their defaults, for a handler without interceptors', async () => {
    const { client } = bed({ handlers: { call: (_, { values }) => (values.get(Other) === 'nobody' ? 1 : 0) } })
    expect(await client.call(1)).toBe(1)
  })

  it('are those of one call, and of one side', async () => {
    const seen: unknown[] = []
    const setting: Interceptor = (call, next) => {
      seen.push(call.values.get(User))
      call.values.set(User, 'ann')
      return next(call)
    }
    const { client } = bed({ clientInterceptors: [setting], serverInterceptors: [setting] })
    await client.call(1)
    await all(client.produce(1))
    expect(seen).toEqual([undefined, undefined, undefined, undefined])
  })

  it('can be set to undefined though the default is something else', async () => {
    const Maybe = createContextKey<string | undefined>('maybe', 'default')
    const { client } = bed({
      handlers: {
        call(_, { values }) {
          values.set(Maybe, undefined)
          return values.get(Maybe) === undefined ? 1 : 0
        },
      },
    })
    expect(await client.call(1)).toBe(1)
  })
})

describe('an interceptor that fails after next', () => {
  it('has the generator of the handler closed', async () => {
    let closed = false
    const { client } = bed({
      handlers: {
        async *produce() {
          try {
            for (let n = 0; ; n++) yield n
          } finally {
            closed = true
          }
        },
      },
      serverInterceptors: [
        async (call, next) => {
          await next(call)
          throw new RpcError('permission_denied')
        },
      ],
    })
    expect((await thrown(() => client.produce(0).receive())).code).toBe('permission_denied')
    await turns()
    expect(closed).toBe(true)
  })
})
