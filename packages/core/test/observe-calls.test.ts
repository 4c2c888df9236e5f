import { AsyncLocalStorage } from 'node:async_hooks'
import { type CallObserver, type InterceptedCall, type Interceptor, observeCalls, RpcError } from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { type BedOptions, bed, CALLS, hanging } from './support/bed.ts'
import { all, failure, turns } from './support/wait.ts'

const WAITING = CALLS.filter(({ name }) => name !== 'notify')
const STREAMING = CALLS.filter(({ name }) => name === 'server streaming' || name.startsWith('bidi'))
const SIDES = ['clientInterceptors', 'serverInterceptors'] as const
const copying: Interceptor = (call, next) => next({ ...call })

/** What an observer is told, in words. */
function logging() {
  const log: string[] = []
  const errors: (RpcError | undefined)[] = []
  const interceptor = observeCalls(({ method }) => {
    log.push(method)
    return {
      onUpdate: () => log.push('update'),
      onResponse: () => log.push('response'),
      onEnd(error) {
        log.push(error?.code ?? 'ok')
        errors.push(error)
      },
    }
  })
  return { log, errors, interceptor }
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  unary: ['kit/call', 'response', 'ok'],
  'client streaming': ['kit/collect', 'update', 'response', 'ok'],
  'client streaming from an iterable': ['kit/collect', 'update', 'update', 'response', 'ok'],
  'server streaming': ['kit/produce', 'response', 'response', 'response', 'ok'],
  'bidi streaming': ['kit/talk', 'ok', 'response', 'response', 'update', 'update'],
  'bidi streaming from an iterable': ['kit/talk', 'ok', 'response', 'response', 'update', 'update'],
  notify: ['kit/tell', 'ok'],
}

describe.each(SIDES)('observeCalls among the %s', (side) => {
  it.each(CALLS)('tells of all that goes by, and once of the end: $name', async ({ name, run, result }) => {
    const { log, interceptor } = logging()
    const { client, size } = bed({ [side]: [interceptor] })
    expect(await run(client)).toEqual(result)
    await turns()
    expect(log.slice(0, 1)).toEqual(EXPECTED[name]?.slice(0, 1))
    expect(log.at(-1)).toBe('ok')
    expect(log.toSorted()).toEqual([...(EXPECTED[name] ?? [])].toSorted())
    expect(size()).toBe(0)
  })

  it.each(WAITING)('tells what a call failed with before its first response: $name', async ({ run }) => {
    const fail = (): never => {
      throw new RpcError('not_found', 'gone')
    }
    const { log, errors, interceptor } = logging()
    const { client } = bed({
      handlers: { call: fail, collect: fail, produce: fail, talk: fail },
      [side]: [interceptor],
    })
    expect((await failure(run(client))).code).toBe('not_found')
    await turns()
    expect(log.at(-1)).toBe('not_found')
    expect(errors).toMatchObject([{ message: 'gone' }])
  })

  it('tells what a stream failed with halfway', async () => {
    const { log, interceptor } = logging()
    const { client } = bed({
      handlers: {
        async *produce() {
          yield 1
          throw new RpcError('data_loss')
        },
      },
      [side]: [interceptor],
    })
    expect((await failure(all(client.produce(1)))).code).toBe('data_loss')
    await turns()
    expect(log).toEqual(['kit/produce', 'response', 'data_loss'])
  })

  it.each(WAITING)('tells of a cancel, once: $name', async ({ run }) => {
    const hang = hanging()
    const { log, interceptor } = logging()
    const { client } = bed({ handlers: hang.handlers, [side]: [interceptor] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort()
    await outcome
    await turns()
    expect(log.filter((word) => word === 'cancelled')).toHaveLength(1)
    expect(log.at(-1)).toBe('cancelled')
  })

  it.each(WAITING)('tells of a deadline that passed: $name', async ({ run }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
    try {
      const { log, interceptor } = logging()
      const { client } = bed({
        handlers: hanging().handlers,
        [side]: [interceptor],
      })
      const outcome = failure(run(client, { timeout: 1_000 }))
      await turns()
      await vi.advanceTimersByTimeAsync(1_000)
      await outcome
      await turns()
      expect(log.at(-1)).toBe('deadline_exceeded')
    } finally {
      vi.useRealTimers()
    }
  })

  it.each(STREAMING)('tells of a stream that its reader left: $name', async ({ method }) => {
    const { log, interceptor } = logging()
    const { client } = bed({ [side]: [interceptor], window: 1 })
    const call = method === 'kit/talk' ? client.talk(1, [1, 2, 3, 4, 5, 6, 7, 8]) : client.produce(1_000)
    for await (const _ of call) break
    await turns()
    expect(log.at(-1)).toBe('cancelled')
  })

  it.each(WAITING)('tells the end of a call behind an interceptor that hands on a copy: $name', async ({ run }) => {
    const hang = hanging()
    const { log, interceptor } = logging()
    const { client } = bed({ handlers: hang.handlers, [side]: [copying, interceptor, copying] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort()
    await outcome
    await turns()
    expect(log.at(-1)).toBe('cancelled')
  })

  it.each(WAITING)('has what was thrown by mistake as the cause of an internal error: $name', async ({ run }) => {
    const bug = new TypeError('bug')
    const { errors, interceptor } = logging()
    const { client } = bed({
      [side]: [
        interceptor,
        () => {
          throw bug
        },
      ],
    })
    expect((await failure(run(client))).code).toBe('internal')
    await turns()
    expect(errors).toMatchObject([{ code: 'internal', cause: bug }])
  })

  it.each(WAITING)('is not in the way of an observer that throws: $name', async ({ run, result }) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const fail = (): never => {
      throw new Error('observer')
    }
    const { client } = bed({ [side]: [observeCalls(() => ({ onUpdate: fail, onResponse: fail, onEnd: fail }))] })
    expect(await run(client)).toEqual(result)
    await turns()
    expect(printed).toHaveBeenCalledWith('qrpc: onEnd threw', expect.objectContaining({ message: 'observer' }))
    printed.mockRestore()
  })

  it.each(CALLS)('changes nothing for an observer that watches nothing: $name', async ({ run, result }) => {
    const { client } = bed({ [side]: [observeCalls(() => ({}))] })
    expect(await run(client)).toEqual(result)
  })

  it.each(CALLS)('leaves a call alone that nobody is to follow: $name', async ({ run, result }) => {
    const { client } = bed({ [side]: [observeCalls(() => undefined)] })
    expect(await run(client)).toEqual(result)
  })

  it.each(WAITING)('refuses a call by a throw: $name', async ({ run }) => {
    const refuse = observeCalls(() => {
      throw new RpcError('unauthenticated')
    })
    const { client } = bed({ [side]: [refuse] })
    expect((await failure(run(client))).code).toBe('unauthenticated')
  })
})

it.each(CALLS)('every step of a handler runs within: $name', async ({ run, result }) => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const look = (): void => {
    seen.push(storage.getStore())
  }
  const observer: CallObserver = { within: (step) => storage.run('call', step) }
  const handlers: BedOptions['handlers'] = {
    call(n) {
      look()
      return n * 2
    },
    async collect(first, updates) {
      let sum = first
      for await (const n of updates) {
        look()
        sum += n
      }
      return sum
    },
    async *produce(count) {
      for (let n = 0; n < count; n++) {
        look()
        yield n
        await turns(1)
      }
    },
    async *talk(factor, updates) {
      for await (const n of updates) {
        look()
        yield factor * n
      }
    },
    tell: look,
  }
  const { client } = bed({ handlers, serverInterceptors: [observeCalls(() => observer)] })
  expect(await run(client)).toEqual(result)
  await turns()
  expect(seen.length).toBeGreaterThan(0)
  expect(new Set(seen)).toEqual(new Set(['call']))
})

it.each(STREAMING)(
  'tells the end of a stream that another interceptor keeps from the caller: $name',
  async ({ run }) => {
    const { log, interceptor } = logging()
    const dropping: Interceptor = async (call, next) => {
      await next(call)
      return {
        responses: (async function* () {
          yield 42
        })(),
      }
    }
    const { client } = bed({ clientInterceptors: [dropping, interceptor] })
    expect(await run(client)).toEqual([42])
    await turns()
    expect(log.at(-1)).toBe('cancelled')
  },
)

it('a call that was cut short before it came to the observer ends at once', async () => {
  const { log, interceptor } = logging()
  const abort = new AbortController()
  const waiting: Interceptor = async (call, next) => {
    abort.abort()
    return next(call)
  }
  const { client } = bed({ clientInterceptors: [waiting, interceptor] })
  expect((await failure(client.call(1, { signal: abort.signal }))).code).toBe('cancelled')
  await turns()
  expect(log).toEqual(['kit/call', 'cancelled'])
})

it.each(CALLS)('tells what carries the call, beside the caller: $name', async ({ run, result }) => {
  const heard: string[] = []
  const observing = observeCalls(() => ({ onPeer: ({ transport }) => heard.push(`observer ${transport}`) }))
  const { client } = bed({ clientInterceptors: [observing] })
  expect(await run(client, { onPeer: ({ transport }) => heard.push(`caller ${transport}`) })).toEqual(result)
  expect(heard).toEqual(['observer test', 'caller test'])
})

it('sees the call as the interceptors before it made it', async () => {
  const seen: InterceptedCall[] = []
  const observing = observeCalls((call) => {
    seen.push(call)
    return {}
  })
  const { client } = bed({ clientInterceptors: [(call, next) => next({ ...call, request: 5 }), observing] })
  expect(await client.call(1)).toBe(10)
  expect(seen.map(({ request }) => request)).toEqual([5])
})
