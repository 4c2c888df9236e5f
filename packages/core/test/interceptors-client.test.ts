import { type InterceptedCall, type Interceptor, Metadata, RpcError } from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { bed, CALLS, hanging } from './support/bed.ts'
import { aborted, all, failure, gate, never, thrown, turns, unhandled } from './support/wait.ts'

const pass: Interceptor = (call, next) => next(call)
const STREAMS_RESPONSES = new Set(['serverStreaming', 'bidiStreaming'])
// The caller of a notify is gone once the request is handed over.
const WAITING = CALLS.filter(({ name }) => name !== 'notify')

async function* map<T, R>(items: AsyncIterable<T>, change: (item: T) => R): AsyncGenerator<R> {
  for await (const item of items) yield change(item)
}

describe('an interceptor of the client', () => {
  it.each(CALLS)('that passes on changes nothing: $name', async ({ run, result }) => {
    const { client, size } = bed({ clientInterceptors: [pass, pass] })
    expect(await run(client)).toEqual(result)
    await turns()
    expect(size()).toBe(0)
  })

  it.each(CALLS)('wraps those after it, the first one outermost: $name', async ({ run }) => {
    const log: string[] = []
    const logging =
      (name: string): Interceptor =>
      async (call, next) => {
        log.push(`${name} in`)
        const result = await next(call)
        log.push(`${name} out`)
        return result
      }
    const { client } = bed({ clientInterceptors: [logging('a'), logging('b')] })
    await run(client)
    expect(log).toEqual(['a in', 'b in', 'b out', 'a out'])
  })

  it.each(CALLS)('sees what is called and how, with what: $name', async ({ run, method }) => {
    const calls: InterceptedCall[] = []
    const { client } = bed({
      clientInterceptors: [
        (call, next) => {
          calls.push(call)
          return next(call)
        },
      ],
    })
    await run(client, { metadata: { k: 'v' }, timeout: 60_000 })
    expect(calls).toHaveLength(1)
    const call = calls[0] as InterceptedCall
    expect(call.method).toBe(method)
    expect(call.request).toBeTypeOf('number')
    expect(call.metadata.get('k')).toBe('v')
    expect(call.deadline).toBeGreaterThan(Date.now())
    expect(call.signal).toBeInstanceOf(AbortSignal)
    expect(call.peer).toBeUndefined()
    expect(call.updates !== undefined).toBe(['clientStreaming', 'bidiStreaming'].includes(call.pattern))
  })

  it.each(CALLS)('adds to the metadata in place or by a copy: $name', async ({ run }) => {
    const seen: unknown[] = []
    const { client } = bed({
      clientInterceptors: [
        (call, next) => {
          call.metadata.set('token', 't')
          return next(call)
        },
        (call, next) => next({ ...call, metadata: new Metadata([...call.metadata, ['trace', '1']]) }),
      ],
      serverInterceptors: [
        (call, next) => {
          seen.push([...call.metadata])
          return next(call)
        },
      ],
    })
    const metadata = new Metadata({ own: '1' })
    await run(client, { metadata })
    expect(seen).toEqual([
      [
        ['own', '1'],
        ['token', 't'],
        ['trace', '1'],
      ],
    ])
    expect([...metadata]).toEqual([['own', '1']])
  })

  it('changes the request', async () => {
    const { client } = bed({ clientInterceptors: [(call, next) => next({ ...call, request: 10 })] })
    expect(await client.call(1)).toBe(20)
    expect(await client.collect(1, [1])).toBe(11)
    expect(await all(client.talk(1, [1]))).toEqual([10])
  })

  it('wraps the updates', async () => {
    const { client } = bed({
      clientInterceptors: [
        (call, next) => next(call.updates ? { ...call, updates: map(call.updates, (n) => (n as number) + 1) } : call),
      ],
    })
    expect(await client.collect(0, [1, 2])).toBe(5)
    expect(await all(client.talk(1, [1, 2]))).toEqual([2, 3])
    const call = client.talk(1)
    await call.send(5)
    expect(await call.receive()).toBe(6)
    call.end()
  })

  it('changes the response, and wraps each response of a stream', async () => {
    const negative: Interceptor = async (call, next) => {
      const { response, responses } = await next(call)
      return responses === undefined
        ? { response: -(response as number) }
        : { responses: map(responses, (n) => -(n as number)) }
    }
    const { client } = bed({ clientInterceptors: [negative] })
    expect(await client.call(1)).toBe(-2)
    expect(await client.collect(1, [2])).toBe(-3)
    expect(await all(client.produce(3))).toEqual([-0, -1, -2])
    expect(await all(client.talk(2, [1, 2]))).toEqual([-2, -4])
  })

  it.each(CALLS)('answers itself, without a call: $name', async ({ run }) => {
    const { client, opens } = bed({
      clientInterceptors: [
        async ({ pattern }) => {
          if (!STREAMS_RESPONSES.has(pattern)) return { response: 42 }
          return {
            responses: (async function* () {
              yield* [42]
            })(),
          }
        },
      ],
    })
    expect([42, [42], undefined]).toContainEqual(await run(client))
    expect(opens).toEqual([])
  })

  it.each(CALLS)('refuses by a throw, without a call: $name', async ({ run }) => {
    const denied = new RpcError('unauthenticated', 'no token')
    const { client, opens } = bed({ clientInterceptors: [() => Promise.reject(denied)] })
    expect(await failure(run(client))).toBe(denied)
    expect(opens).toEqual([])
  })

  it.each(CALLS)(
    'that throws something else fails the call with internal and that as the cause: $name',
    async ({ run }) => {
      const bug = new TypeError('bug')
      const { client } = bed({
        clientInterceptors: [
          () => {
            throw bug
          },
        ],
      })
      expect(await failure(run(client))).toMatchObject({ code: 'internal', cause: bug })
    },
  )

  it.each(CALLS)('that returns nothing fails the call with internal, and says so: $name', async ({ run }) => {
    const { client } = bed({ clientInterceptors: [(async () => {}) as never] })
    const error = await failure(run(client))
    expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining('returned nothing') })
  })

  it.each(WAITING)('maps errors: $name', async ({ run }) => {
    const fail = (): never => {
      throw new RpcError('not_found', 'gone')
    }
    const { client } = bed({
      handlers: { call: fail, collect: fail, produce: fail, talk: fail },
      clientInterceptors: [
        async (call, next) => {
          try {
            return await next(call)
          } catch (cause) {
            throw new RpcError('failed_precondition', 'mapped', { cause })
          }
        },
      ],
    })
    const error = await failure(run(client))
    expect(error).toMatchObject({ code: 'failed_precondition', message: 'mapped', cause: { code: 'not_found' } })
  })

  it.each(WAITING)('repeats a call that failed before its first response: $name', async ({ run, result }) => {
    let attempts = 0
    const flaky = (): void => {
      if (++attempts < 3) throw new RpcError('unavailable')
    }
    const { client, opens } = bed({
      serverInterceptors: [
        (call, next) => {
          flaky()
          return next(call)
        },
      ],
      clientInterceptors: [
        async (call, next) => {
          // Updates can be taken once: who repeats a call that has some keeps them.
          const updates = call.updates === undefined ? undefined : await all(call.updates)
          for (;;) {
            try {
              return await next(updates === undefined ? call : { ...call, updates: map(from(updates), (n) => n) })
            } catch (error) {
              if (RpcError.from(error).code !== 'unavailable') throw error
            }
          }
        },
      ],
    })
    expect(await run(client)).toEqual(result)
    expect(opens).toHaveLength(3)
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
      clientInterceptors: [
        async (call, next) => {
          try {
            const { responses } = await next(call)
            seen.push('started')
            return { responses: responses as AsyncIterable<unknown> }
          } catch (error) {
            seen.push('failed')
            throw error
          }
        },
      ],
    })
    const atOnce = client.produce(0)
    expect((await failure(atOnce.started)).code).toBe('data_loss')
    const halfway = client.produce(1)
    await halfway.started
    expect(await halfway.receive()).toBe(1)
    expect((await thrown(() => halfway.receive())).code).toBe('data_loss')
    expect(seen).toEqual(['failed', 'started'])
  })

  it.each(CALLS)('that hangs past the deadline does not keep the caller: $name', async ({ run }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
    try {
      const signals: AbortSignal[] = []
      const { client, opens } = bed({
        clientInterceptors: [
          (call) => {
            signals.push(call.signal)
            return never()
          },
        ],
      })
      const outcome = failure(run(client, { timeout: 1_000 }))
      await turns()
      expect(signals.map((signal) => signal.aborted)).toEqual([false])
      await vi.advanceTimersByTimeAsync(1_000)
      expect((await outcome).code).toBe('deadline_exceeded')
      expect(signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' })
      expect(opens).toEqual([])
    } finally {
      vi.useRealTimers()
    }
  })

  it.each(CALLS)('that hangs does not keep a caller who aborts: $name', async ({ run }) => {
    const { client } = bed({ clientInterceptors: [never] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort('enough')
    expect(await outcome).toMatchObject({ code: 'cancelled', cause: 'enough' })
  })

  it.each(CALLS)('is not asked for a call that is aborted before it begins: $name', async ({ run }) => {
    let asked = false
    const { client } = bed({
      clientInterceptors: [
        (call, next) => {
          asked = true
          return next(call)
        },
      ],
    })
    expect((await failure(run(client, { signal: AbortSignal.abort() }))).code).toBe('cancelled')
    await turns()
    expect(asked).toBe(false)
  })

  it.each(WAITING)('does not stand between a cancel and the server: $name', async ({ run }) => {
    const hang = hanging()
    const { client, size } = bed({ handlers: hang.handlers, clientInterceptors: [pass] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort('enough')
    expect(await outcome).toMatchObject({ code: 'cancelled', cause: 'enough' })
    await turns()
    expect(hang.signals.map((signal) => signal.reason?.code)).toEqual(['cancelled'])
    expect(size()).toBe(0)
  })

  it('does not stand between leaving a loop and the server', async () => {
    const reason = gate<unknown>()
    let closed = false
    const { client } = bed({
      clientInterceptors: [
        async (call, next) => {
          const { responses = from([]) } = await next(call)
          return {
            responses: (async function* () {
              try {
                yield* responses
              } finally {
                closed = true
              }
            })(),
          }
        },
      ],
      handlers: {
        async *produce(_, { signal }) {
          void aborted(signal).then((why) => reason.resolve(why))
          for (let n = 0; ; n++) yield n
        },
      },
    })
    for await (const _ of client.produce(0)) break
    expect(await reason.promise).toMatchObject({ code: 'cancelled' })
    await turns()
    expect(closed).toBe(true)
  })

  it('keeps the backpressure: a stream that nobody reads waits', async () => {
    let produced = 0
    const { client } = bed({
      window: 4,
      clientInterceptors: [pass],
      handlers: {
        async *produce() {
          for (; produced < 5_000; produced++) yield produced
        },
      },
    })
    const call = client.produce(0)
    await call.started
    await turns(30)
    expect(produced).toBeLessThan(200)
    call.cancel()
  })

  it('wraps the calls of nested services, too', async () => {
    const methods: string[] = []
    const { client } = bed({
      clientInterceptors: [
        (call, next) => {
          methods.push(call.method)
          return next(call)
        },
      ],
    })
    await client.inner.echo('a')
    expect(methods).toEqual(['kit.inner/echo'])
  })

  it('can bound a call itself', async () => {
    const { client } = bed({
      handlers: { call: (_, { deadline }) => (deadline === undefined ? 0 : 1) },
      clientInterceptors: [(call, next) => next({ ...call, deadline: Date.now() + 60_000 })],
    })
    expect(await client.call(1)).toBe(1)
  })

  it.each(CALLS)('closes the connector with its client: $name', async ({ run }) => {
    const { client } = bed({ clientInterceptors: [pass] })
    await client[Symbol.asyncDispose]()
    expect((await failure(run(client))).code).toBe('failed_precondition')
  })

  it('leaves no unhandled rejection where nobody looks at the call', async () => {
    const found = await unhandled(() => {
      const { client } = bed({ clientInterceptors: [() => Promise.reject(new RpcError('aborted'))] })
      client.collect(1)
      void client.collect(1).response
      client.produce(1)
      void client.produce(1).started
      client.talk(1, [1, 2])
    })
    expect(found).toEqual([])
  })
})

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

describe('an interceptor that returns the wrong kind of result', () => {
  it('fails a call of one response with internal', async () => {
    const { client } = bed({ clientInterceptors: [async () => ({ responses: (async function* () {})() })] })
    expect(await failure(client.call(1))).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('one response'),
    })
  })

  it('fails a call that streams responses with internal', async () => {
    const { client } = bed({ clientInterceptors: [async () => ({ response: 1 })] })
    expect(await failure(all(client.produce(1)))).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('no { responses }'),
    })
  })
})
