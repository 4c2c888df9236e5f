import {
  clientStreaming,
  createClient,
  type Handlers,
  type Interceptor,
  notify,
  type Peer,
  type RetriedAttempt,
  type RetryOptions,
  RpcError,
  retry,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTransport, type Open } from './support/transport.ts'
import { all, failure, never, turns } from './support/wait.ts'

const Store = service('store', {
  get: unary({ idempotent: true }),
  put: unary<number, number>(),
  list: serverStreaming({ idempotent: true }),
  take: serverStreaming<void, number>(),
  load: clientStreaming({ idempotent: true }),
  touch: notify({ idempotent: true }),
  log: notify<void>(),
})

type StoreHandlers = Handlers<typeof Store>

const unavailable = new RpcError('unavailable', 'try again')

/** A store whose client tries again at once, and what was tried. */
function bed(
  options: RetryOptions = {},
  handlers: Partial<StoreHandlers> = {},
  { open, inner = [] }: { open?: Open; inner?: readonly Interceptor[] } = {},
) {
  const retries: RetriedAttempt[] = []
  const transport = createTransport(open)
  serve(
    Store,
    { get() {}, put: (n) => n, *list() {}, *take() {}, load() {}, touch() {}, log() {}, ...handlers },
    transport.listener,
  )
  const interceptor = retry({ random: () => 0, onRetry: (attempt) => retries.push(attempt), ...options })
  const client = createClient(Store, transport.connector, { interceptors: [interceptor, ...inner] })
  return { ...transport, client, retries }
}

/** Throws so many times, then no more. */
function failing(times: number, error: unknown = unavailable) {
  return vi.fn<() => void>(() => {
    if (times-- > 0) throw error
  })
}

/** A connector that finds no server so many times. */
function absent(times: number): Open {
  const fail = failing(times)
  return (pair) => {
    fail()
    return pair()
  }
}

describe('an idempotent method', () => {
  it('is tried again until it goes well', async () => {
    const get = failing(2)
    const { client, retries } = bed({}, { get })
    await client.get()
    expect(get).toHaveBeenCalledTimes(3)
    expect(retries).toMatchObject([
      { method: 'store/get', pattern: 'unary', attempt: 1, error: { code: 'unavailable' }, delay: 0 },
      { method: 'store/get', pattern: 'unary', attempt: 2, error: { code: 'unavailable' }, delay: 0 },
    ])
  })

  it('fails with the error of the last attempt', async () => {
    let n = 0
    const get = () => {
      throw new RpcError('unavailable', `attempt ${++n}`)
    }
    const { client } = bed({}, { get })
    expect((await failure(client.get())).message).toBe('attempt 3')
    expect(n).toBe(3)
  })

  it.each([1, 2, 5])('is tried %i times', async (attempts) => {
    const get = failing(100)
    const { client } = bed({ attempts, budget: false }, { get })
    expect((await failure(client.get())).code).toBe('unavailable')
    expect(get).toHaveBeenCalledTimes(attempts)
  })

  it('is not tried again after another code', async () => {
    const get = failing(1, new RpcError('resource_exhausted'))
    const { client } = bed({}, { get })
    expect((await failure(client.get())).code).toBe('resource_exhausted')
    expect(get).toHaveBeenCalledTimes(1)
  })

  it('is tried again after the codes that are given, and those alone', async () => {
    const get = failing(1, new RpcError('aborted'))
    const put = failing(1)
    const { client } = bed({ codes: ['aborted'] }, { get, list: put as never })
    await client.get()
    expect(get).toHaveBeenCalledTimes(2)
    expect((await failure(client.list().started)).code).toBe('unavailable')
    expect(put).toHaveBeenCalledTimes(1)
  })

  it('is not tried again for what an interceptor threw by mistake', async () => {
    const mistake = vi.fn<Interceptor>(() => Promise.reject(new TypeError('mistake')))
    const { client } = bed({}, {}, { inner: [mistake] })
    expect((await failure(client.get())).code).toBe('internal')
    expect(mistake).toHaveBeenCalledTimes(1)
  })
})

describe('server streaming', () => {
  it('is tried again before the first response', async () => {
    let attempts = 0
    const { client } = bed(
      {},
      {
        async *list() {
          if (++attempts < 3) throw unavailable
          yield
          yield
        },
      },
    )
    expect(await all(client.list())).toHaveLength(2)
    expect(attempts).toBe(3)
  })

  it('is not tried again after it', async () => {
    let attempts = 0
    const { client } = bed(
      {},
      {
        async *list() {
          attempts++
          yield
          throw unavailable
        },
      },
    )
    const call = client.list()
    await call.started
    expect((await failure(all(call))).code).toBe('unavailable')
    expect(attempts).toBe(1)
  })
})

describe('a method that is not idempotent', () => {
  it('is not tried again once a transport took the call', async () => {
    const put = vi.fn<() => number>(() => {
      throw unavailable
    })
    const take = vi.fn<() => never>(() => {
      throw unavailable
    })
    const { client } = bed({}, { put, take })
    expect((await failure(client.put(1))).message).toBe('try again')
    expect((await failure(client.take().started)).message).toBe('try again')
    expect(put).toHaveBeenCalledTimes(1)
    expect(take).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['at once', absent(2)],
    [
      'later',
      (() => {
        const open = absent(2)
        return async (...args: Parameters<Open>) => open(...args)
      })(),
    ],
  ])('is tried again as long as none did, which the connector says %s', async (_, open) => {
    const put = vi.fn<(n: number) => number>((n) => n)
    const { client, opens } = bed({}, { put }, { open })
    expect(await client.put(7)).toBe(7)
    expect(put).toHaveBeenCalledTimes(1)
    expect(opens).toHaveLength(3)
  })

  it('is not tried again after one attempt that a transport took', async () => {
    const put = vi.fn<() => number>(() => {
      throw unavailable
    })
    const { client, opens } = bed({ attempts: 5 }, { put }, { open: absent(1) })
    expect((await failure(client.put(1))).message).toBe('try again')
    expect(opens).toHaveLength(2)
    expect(put).toHaveBeenCalledTimes(1)
  })

  it('streams or notifies, too', async () => {
    const { client } = bed({}, { take: () => [1, 2] }, { open: absent(2) })
    expect(await all(client.take())).toEqual([1, 2])
    const telling = bed({}, {}, { open: absent(2) })
    await telling.client.log()
    expect(telling.opens).toHaveLength(3)
  })
})

it('updates are taken once: a call that has some is made once, even where no transport took it', async () => {
  const { client, opens } = bed({}, {}, { open: absent(1) })
  expect((await failure(client.load(undefined, []))).code).toBe('unavailable')
  expect(opens).toHaveLength(1)
})

it('onPeer hears of each attempt that a transport took', async () => {
  const { client } = bed({}, { get: failing(1) }, { open: absent(1) })
  const peers: Peer[] = []
  await client.get(undefined, { onPeer: (peer) => peers.push(peer) })
  expect(peers.map(({ transport }) => transport)).toEqual(['test', 'test'])
})

it('each attempt has the metadata as it was', async () => {
  const seen: unknown[] = []
  const { client } = bed(
    {},
    {
      get(_, { metadata }) {
        seen.push([...metadata])
        if (seen.length < 3) throw unavailable
      },
    },
    {
      inner: [
        (call, next) => {
          call.metadata.append('hop', '1')
          return next(call)
        },
      ],
    },
  )
  await client.get(undefined, { metadata: { own: 'x' } })
  const each = [
    ['own', 'x'],
    ['hop', '1'],
  ]
  expect(seen).toEqual([each, each, each])
})

describe('the wait', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  })

  afterEach(() => vi.useRealTimers())

  it('grows up to its bound, and is a random part of it', async () => {
    const { client, retries } = bed(
      { attempts: 6, random: () => 0.5, maxBackoff: 1_000, budget: false },
      { get: failing(5) },
    )
    const call = client.get()
    for (let i = 0; i < 5; i++) {
      await turns()
      await vi.advanceTimersToNextTimerAsync()
    }
    await call
    expect(retries.map(({ delay }) => delay)).toEqual([50, 100, 200, 400, 500])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is random by default, and never longer than the bound', async () => {
    const { client, retries } = bed(
      { attempts: 20, maxBackoff: 300, budget: false, random: Math.random },
      { get: failing(19) },
    )
    const call = client.get()
    for (let i = 0; i < 19; i++) {
      await turns()
      await vi.advanceTimersToNextTimerAsync()
    }
    await call
    const delays = retries.map(({ delay }) => delay)
    expect(new Set(delays).size).toBeGreaterThan(1)
    expect(Math.max(...delays)).toBeLessThan(300)
  })

  it('ends when the caller cancels', async () => {
    const get = failing(1)
    const { client, size } = bed({ random: () => 0.5 }, { get })
    const abort = new AbortController()
    const outcome = failure(client.get(undefined, { signal: abort.signal }))
    await turns()
    expect(vi.getTimerCount()).toBe(1)
    abort.abort('enough')
    expect(await outcome).toMatchObject({ code: 'cancelled', cause: 'enough' })
    await turns()
    expect(vi.getTimerCount()).toBe(0)
    expect(size()).toBe(0)
    expect(get).toHaveBeenCalledTimes(1)
  })

  it('is not begun where it would end behind the deadline', async () => {
    const get = failing(1)
    const { client } = bed({ random: () => 0.5 }, { get })
    expect((await failure(client.get(undefined, { timeout: 50 }))).code).toBe('unavailable')
    expect(get).toHaveBeenCalledTimes(1)
  })

  it('is part of the time that the call has', async () => {
    const deadlines: (number | undefined)[] = []
    const { client } = bed(
      { random: () => 0.5 },
      {
        get(_, { deadline }) {
          deadlines.push(deadline)
          if (deadlines.length === 1) throw unavailable
          return never()
        },
      },
    )
    const until = Date.now() + 1_000
    const outcome = failure(client.get(undefined, { timeout: 1_000 }))
    await turns()
    await vi.advanceTimersByTimeAsync(50)
    await turns()
    expect(deadlines).toEqual([until, until])
    await vi.advanceTimersByTimeAsync(950)
    expect((await outcome).code).toBe('deadline_exceeded')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the budget', () => {
  const down = () => {
    throw unavailable
  }

  it('stops retries once half of it is gone', async () => {
    const get = vi.fn<() => void>(down)
    const { client, retries } = bed({ budget: { maxTokens: 10 } }, { get })
    for (let i = 0; i < 5; i++) await failure(client.get())
    // Of the attempts, the first four leave more than half of ten tokens.
    expect(retries).toHaveLength(3)
    expect(get).toHaveBeenCalledTimes(8)
    const before = get.mock.calls.length
    await failure(client.get())
    expect(get.mock.calls.length - before).toBe(1)
  })

  it('comes back with calls that go well', async () => {
    let broken = true
    const get = vi.fn<() => void>(() => {
      if (broken) down()
    })
    const { client, retries } = bed({ budget: { maxTokens: 4, tokenRatio: 1 } }, { get })
    for (let i = 0; i < 6; i++) await failure(client.get())
    const spent = retries.length
    broken = false
    for (let i = 0; i < 4; i++) await client.get()
    broken = true
    await failure(client.get())
    expect(spent).toBe(1)
    expect(retries).toHaveLength(2)
  })

  it('counts calls that are not tried again, too', async () => {
    const { client, retries } = bed({ budget: { maxTokens: 4 } }, { put: down, get: down })
    for (let i = 0; i < 2; i++) await failure(client.put(1))
    await failure(client.get())
    expect(retries).toEqual([])
  })

  it('is not touched by other failures', async () => {
    const { client, retries } = bed(
      { budget: { maxTokens: 4 } },
      { put: failing(100, new RpcError('not_found')) as never, get: failing(1) },
    )
    for (let i = 0; i < 10; i++) await failure(client.put(1))
    await client.get()
    expect(retries).toHaveLength(1)
  })
})

it.each([
  { attempts: 0 },
  { attempts: 1.5 },
  { attempts: Number.NaN },
  { initialBackoff: -1 },
  { maxBackoff: Number.NaN },
  { maxBackoff: Number.POSITIVE_INFINITY },
  { multiplier: 0.5 },
  { budget: { maxTokens: 0 } },
  { budget: { tokenRatio: Number.NaN } },
])('options that make no sense are refused: %o', (options) => {
  expect(() => retry(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})

it('an error of onRetry is reported, and the call goes on', async () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
  const error = new Error('onRetry')
  const { client } = bed(
    {
      onRetry() {
        throw error
      },
    },
    { get: failing(1) },
  )
  await client.get()
  expect(reported.mock.calls).toEqual([[expect.stringContaining('onRetry'), error]])
  reported.mockRestore()
})
