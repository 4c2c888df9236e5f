import {
  clientStreaming,
  createClient,
  type Handlers,
  notify,
  RpcError,
  type Schema,
  serve,
  serverStreaming,
  service,
  type,
  unary,
} from '@qrpc/core'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createTransport } from './support/transport.ts'
import { all, failure, gate, thrown, turns } from './support/wait.ts'

/** The same contract in two libraries: a number travels as text and is checked. */
const zod = {
  text: z.string().min(1),
  point: z.object({ at: z.array(z.object({ x: z.number() })) }),
  parsed: z.string().transform((text) => Number(text)),
  printed: z.number().transform((n) => `#${n}`),
  slow: z.string().refine(async (text) => text !== 'bad', 'must not be bad'),
}
const valibot = {
  text: v.pipe(v.string(), v.minLength(1)),
  point: v.object({ at: v.array(v.object({ x: v.number() })) }),
  parsed: v.pipe(
    v.string(),
    v.transform((text) => Number(text)),
  ),
  printed: v.pipe(
    v.number(),
    v.transform((n) => `#${n}`),
  ),
  slow: v.pipeAsync(
    v.string(),
    v.checkAsync(async (text) => text !== 'bad', 'must not be bad'),
  ),
}

interface Library {
  readonly text: Schema<string>
  readonly point: Schema<{ at: { x: number }[] }>
  readonly parsed: Schema<string, number>
  readonly printed: Schema<number, string>
  readonly slow: Schema<string>
}

function contract(library: Library) {
  return service('checked', {
    text: unary({ request: library.text, response: type<string>() }),
    point: unary({ request: library.point, response: type<number>() }),
    transformed: unary({ request: library.parsed, response: library.printed }),
    slow: unary({ request: library.slow, response: library.slow }),
    sum: clientStreaming({ update: library.parsed, response: type<number>() }),
    sumByHand: clientStreaming({ update: library.parsed, response: type<number>() }),
    slowUpdates: clientStreaming({ update: library.slow, response: type<string>() }),
    slowUpdatesByHand: clientStreaming({ update: library.slow, response: type<string>() }),
    print: serverStreaming({ request: library.parsed, response: library.printed }),
    slowResponses: serverStreaming({ response: library.slow }),
    tell: notify({ request: library.text }),
  })
}

function checkedBed(library: Library, given: Partial<Handlers<ReturnType<typeof contract>>> = {}) {
  const Checked = contract(library)
  const { connector, listener } = createTransport()
  const called: unknown[] = []
  const errors: unknown[] = []
  const handlers: Handlers<typeof Checked> = {
    text: (text) => {
      called.push(text)
      return text
    },
    point: ({ at }) => at.length,
    transformed: (n) => {
      called.push(n)
      return n + 1
    },
    slow: (text) => {
      called.push(text)
      return text
    },
    async sum(_, updates) {
      let sum = 0
      for await (const n of updates) sum += n
      return sum
    },
    async sumByHand(_, updates) {
      let sum = 0
      for (let n = await updates.receive(); !updates.ended; n = await updates.receive()) sum += n as number
      return sum
    },
    async slowUpdates(_, updates) {
      return (await all(updates)).join('')
    },
    async slowUpdatesByHand(_, updates) {
      const parts: string[] = []
      for (let part = await updates.receive(); !updates.ended; part = await updates.receive())
        parts.push(part as string)
      return parts.join('')
    },
    async *print(count) {
      for (let n = 0; n < count; n++) yield n
    },
    slowResponses: () => ['a', 'b'],
    tell: (text) => void called.push(text),
    ...given,
  }
  serve(Checked, handlers, listener, { onError: (error) => errors.push(error) })
  const client = createClient(Checked, connector)
  return { client, called, errors, connector }
}

describe.each<[string, Library]>([
  ['zod', zod],
  ['valibot', valibot],
])('%s', (_, library) => {
  it('lets through what the schema takes', async () => {
    const { client } = checkedBed(library)
    expect(await client.text('a')).toBe('a')
    expect(await client.point({ at: [{ x: 1 }, { x: 2 }] })).toBe(2)
  })

  it('refuses a request with invalid_argument and the issues, and does not call the handler', async () => {
    const { client, called } = checkedBed(library)
    const error = await failure(client.text(''))
    expect(error).toMatchObject({
      code: 'invalid_argument',
      name: 'RpcError',
      message: expect.stringContaining('the schema refused the request'),
      data: { issues: [{ message: expect.any(String), path: [] }] },
    })
    expect(called).toEqual([])
  })

  it('tells where in the request the issue is, in plain keys', async () => {
    const { client } = checkedBed(library)
    const error = await failure(client.point({ at: [{ x: 1 }, { x: 'two' as never }] }))
    expect(error.data).toMatchObject({ issues: [{ path: ['at', 1, 'x'] }] })
    expect(error.message).toContain('at.1.x: ')
  })

  it('hands the handler what the schema made of the request, and the client what it made of the response', async () => {
    const { client, called } = checkedBed(library)
    expect(await client.transformed('41')).toBe('#42')
    expect(called).toEqual([41])
  })

  it('waits for an asynchronous schema', async () => {
    const { client, called } = checkedBed(library)
    expect(await client.slow('good')).toBe('good')
    const error = await failure(client.slow('bad'))
    expect(error).toMatchObject({ code: 'invalid_argument', data: { issues: [{ message: 'must not be bad' }] } })
    expect(called).toEqual(['good'])
  })

  it.each(['sum', 'sumByHand'] as const)(
    'hands the handler what the schema made of each update: %s',
    async (method) => {
      const { client } = checkedBed(library)
      expect(await client[method](undefined, ['1', '2', '3'])).toBe(6)
    },
  )

  it.each(['sum', 'sumByHand'] as const)(
    'throws at the handler that reads an update which is refused: %s',
    async (method) => {
      const { client } = checkedBed(library)
      const error = await failure(client[method](undefined, ['1', 2 as never, '3']))
      expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('refused the update') })
      expect(error.data).toMatchObject({ issues: [{ path: [] }] })
    },
  )

  it.each(['slowUpdates', 'slowUpdatesByHand'] as const)('checks updates asynchronously: %s', async (method) => {
    const { client } = checkedBed(library)
    expect(await client[method](undefined, ['a', 'b'])).toBe('ab')
    expect((await failure(client[method](undefined, ['a', 'bad', 'b']))).code).toBe('invalid_argument')
  })

  it('checks each response of a stream', async () => {
    const { client } = checkedBed(library)
    expect(await all(client.print('3'))).toEqual(['#0', '#1', '#2'])
    expect(await all(client.slowResponses())).toEqual(['a', 'b'])
  })

  it('makes internal of a response that is refused, and tells only the server why', async () => {
    const { client, errors } = checkedBed(library, { transformed: () => 'no number' as never })
    const error = await failure(client.transformed('1'))
    expect(error).toMatchObject({ code: 'internal', message: 'internal error', data: undefined })
    expect(errors).toEqual([expect.any(TypeError)])
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('refused the response'),
      cause: { code: 'invalid_argument' },
    })
  })

  it('makes internal of a response that an asynchronous schema refuses', async () => {
    const { client, errors } = checkedBed(library, { slow: () => 'bad' })
    expect((await failure(client.slow('good'))).code).toBe('internal')
    expect(errors).toEqual([expect.any(TypeError)])
  })

  it.each(['print', 'slowResponses'] as const)(
    'ends a stream with internal at the response that is refused, and closes the handler: %s',
    async (method) => {
      let closed = false
      const { client, errors } = checkedBed(library, {
        async *[method](): AsyncGenerator<never> {
          try {
            yield (method === 'print' ? 1 : 'a') as never
            yield (method === 'print' ? 'no number' : 'bad') as never
          } finally {
            closed = true
          }
        },
      })
      const seen: unknown[] = []
      const error = await thrown(async () => {
        const call = method === 'print' ? client.print('1') : client.slowResponses()
        for await (const response of call) seen.push(response)
      })
      expect(error.code).toBe('internal')
      expect(seen).toHaveLength(1)
      expect(closed).toBe(true)
      expect(errors).toEqual([expect.any(TypeError)])
    },
  )

  it('checks the request of a notify, whose caller does not learn of it', async () => {
    const { client, called } = checkedBed(library)
    await client.tell('')
    await client.tell('a')
    expect(called).toEqual(['a'])
  })
})

describe('a schema', () => {
  it('that is a type alone checks nothing and is not called', async () => {
    const Plain = service('plain', { any: unary({ request: type<number>(), response: type<number>() }) })
    const { connector, listener } = createTransport()
    serve(Plain, { any: (n) => n }, listener)
    expect(await createClient(Plain, connector).any('text' as never)).toBe('text')
  })

  it('may be a function, as those of arktype are', async () => {
    const callable: Schema<number> = Object.assign(() => {}, {
      '~standard': {
        version: 1 as const,
        vendor: 'callable',
        validate: (value: unknown) =>
          typeof value === 'number' ? { value } : { issues: [{ message: 'no number', path: [{ key: Symbol('s') }] }] },
      },
    })
    const Called = service('called', { any: unary({ request: callable, response: type<number>() }) })
    const { connector, listener } = createTransport()
    serve(Called, { any: (n) => n }, listener)
    const client = createClient(Called, connector)
    expect(await client.any(1)).toBe(1)
    expect((await failure(client.any('1' as never))).data).toEqual({
      issues: [{ message: 'no number', path: ['Symbol(s)'] }],
    })
  })

  it('that throws fails the call with internal, and the server is told', async () => {
    const bug = new Error('bug in the schema')
    const throwing: Schema<number> = {
      '~standard': {
        version: 1,
        vendor: 'throwing',
        validate() {
          throw bug
        },
      },
    }
    const Throwing = service('throwing', { any: unary({ request: throwing }) })
    const { connector, listener } = createTransport()
    const errors: unknown[] = []
    serve(Throwing, { any() {} }, listener, { onError: (error) => errors.push(error) })
    expect((await failure(createClient(Throwing, connector).any(1))).code).toBe('internal')
    expect(errors).toEqual([bug])
  })

  it('is asked at the server: a client that is not typed is checked, too', async () => {
    const { connector, called } = checkedBed(zod)
    const channel = await connector.open()
    await channel.send({ method: 'checked/text', metadata: undefined, timeout: undefined, message: 5 }, true)
    expect((await failure(channel.receiveOnly())).code).toBe('invalid_argument')
    expect(called).toEqual([])
  })

  it('that takes its time holds up no call that was cancelled meanwhile: the handler is not called', async () => {
    const checking = gate()
    const checked = gate<unknown>()
    let called = false
    const slow: Schema<number> = {
      '~standard': {
        version: 1,
        vendor: 'slow',
        async validate(value) {
          checking.resolve()
          await checked.promise
          return { value: value as number }
        },
      },
    }
    const Slow = service('slow', { any: unary({ request: slow }) })
    const { connector, listener } = createTransport()
    serve(
      Slow,
      {
        any() {
          called = true
        },
      },
      listener,
    )
    const abort = new AbortController()
    const call = createClient(Slow, connector).any(1, { signal: abort.signal })
    await checking.promise
    abort.abort()
    expect((await failure(call)).code).toBe('cancelled')
    checked.resolve(undefined)
    await turns()
    expect(called).toBe(false)
  })

  it('gives errors that are RpcErrors', async () => {
    const { client } = checkedBed(zod)
    expect(await failure(client.text(''))).toBeInstanceOf(RpcError)
  })
})
