import { type InterceptedCall, type Interceptor, Metadata, RpcError } from '@qrpc/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bed, CALLS, hanging } from './support/bed.ts'
import { failure, turns } from './support/wait.ts'

const WAITING = CALLS.filter(({ name }) => name !== 'notify')
const NOT_LOOKED_AT = CALLS.filter(({ name }) => name === 'unary' || name === 'notify')

// What interceptors may hand on instead of the call.
const COPIES: readonly (readonly [string, (call: InterceptedCall) => InterceptedCall])[] = [
  ['the call', (call) => call],
  ['a copy', (call) => ({ ...call })],
  ['a changed copy', (call) => ({ ...call, metadata: new Metadata(call.metadata) })],
  ['a derived object', (call) => Object.create(call)],
  ['a proxy', (call) => new Proxy(call, {})],
]

describe.each(COPIES)('an interceptor of the client that hands on %s', (_, copy) => {
  const copying: Interceptor = (call, next) => next(copy(call))

  it.each(CALLS)('changes nothing: $name', async ({ run, result }) => {
    const { client, size } = bed({ clientInterceptors: [copying, copying], serverInterceptors: [copying] })
    expect(await run(client)).toEqual(result)
    await turns()
    expect(size()).toBe(0)
  })

  it.each(WAITING)('does not stand between a cancel and the server: $name', async ({ run }) => {
    const hang = hanging()
    const { client, size } = bed({ handlers: hang.handlers, clientInterceptors: [copying] })
    const abort = new AbortController()
    const outcome = failure(run(client, { signal: abort.signal }))
    await turns()
    abort.abort('enough')
    expect(await outcome).toMatchObject({ code: 'cancelled', cause: 'enough' })
    await turns()
    expect(hang.signals.map((signal) => signal.reason?.code)).toEqual(['cancelled'])
    expect(size()).toBe(0)
  })
})

it.each(WAITING)('a signal of its own that an interceptor hands on is the one that counts: $name', async ({ run }) => {
  const own = new AbortController()
  const hang = hanging()
  const { client } = bed({
    handlers: hang.handlers,
    clientInterceptors: [(call, next) => next({ ...call, signal: AbortSignal.any([call.signal, own.signal]) })],
  })
  const outcome = failure(run(client))
  await turns()
  own.abort(new RpcError('aborted', 'own'))
  expect((await outcome).message).toBe('own')
})

it.each(WAITING)(
  'a call that an interceptor did not wait for ends with the one that was made: $name',
  async ({ run }) => {
    const hang = hanging()
    const { client, size } = bed({
      handlers: hang.handlers,
      clientInterceptors: [
        async (call, next) => {
          next(call).catch(() => {})
          await turns()
          throw new RpcError('aborted', 'gave up')
        },
      ],
    })
    expect((await failure(run(client))).message).toBe('gave up')
    await turns()
    expect(hang.signals.map((signal) => signal.aborted)).toEqual([true])
    expect(size()).toBe(0)
  },
)

it.each(CALLS)('a signal that an interceptor kept is aborted when the call is over: $name', async ({ run }) => {
  let kept: AbortSignal | undefined
  const { client } = bed({
    clientInterceptors: [
      (call, next) => {
        kept = call.signal
        return next(call)
      },
    ],
  })
  await run(client)
  await turns()
  expect(kept?.reason).toMatchObject({ code: 'cancelled' })
})

describe('a call whose signal nobody looks at', () => {
  const made = vi.fn<() => void>()

  beforeEach(() => {
    made.mockClear()
    vi.stubGlobal(
      'AbortController',
      class extends AbortController {
        constructor() {
          super()
          made()
        }
      },
    )
  })

  afterEach(() => vi.unstubAllGlobals())

  it.each(NOT_LOOKED_AT)('has none made on its way through interceptors of both sides: $name', async ({ run }) => {
    const pass: Interceptor = (call, next) => next(call)
    const { client } = bed({ clientInterceptors: [pass, pass], serverInterceptors: [pass, pass] })
    await run(client, { timeout: 60_000 })
    await turns()
    expect(made).not.toHaveBeenCalled()
  })

  it('has one made where an interceptor does', async () => {
    const { client } = bed({ clientInterceptors: [(call, next) => next({ ...call })] })
    await client.call(1)
    expect(made).toHaveBeenCalledTimes(1)
  })
})
