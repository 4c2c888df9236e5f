import { createChannelPair, createRouter, RpcError, service, unary } from '@qrpc/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bed } from './support/bed.ts'
import { all, failure, turns } from './support/wait.ts'

const A = service('a', { call: unary() })

afterEach(() => {
  vi.restoreAllMocks()
})

/** What the client sees of a call whose handler throws. */
async function outcome(thrown: unknown, onError?: (error: unknown) => void): Promise<RpcError> {
  const router = createRouter(
    A,
    {
      call() {
        throw thrown
      },
    },
    onError === undefined ? {} : { onError },
  )
  const [client, server] = createChannelPair()
  void client.send({ method: 'a/call', metadata: undefined, timeout: undefined, message: undefined }, true)
  router.handle(server)
  return failure(client.receiveOnly())
}

describe('what a handler throws', () => {
  it.each([
    new Error('secret'),
    'secret',
    undefined,
    null,
    { code: 'not_found', message: 'secret' },
    Object.create(null),
  ])('is internal for the client, without a word about it, and whole for onError: %o', async (thrown) => {
    const errors: unknown[] = []
    const error = await outcome(thrown, (reported) => errors.push(reported))
    expect(error).toMatchObject({ code: 'internal', message: 'internal error', name: 'RpcError', data: undefined })
    expect(error.cause).toBeUndefined()
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBe(thrown)
  })

  it('is told to the client alone where it is an RpcError', async () => {
    const errors: unknown[] = []
    const error = await outcome(new RpcError('not_found', 'gone'), (reported) => errors.push(reported))
    expect(error).toMatchObject({ code: 'not_found', message: 'gone' })
    expect(errors).toEqual([])
  })

  const bug = new Error('secret')
  const fail = (): never => {
    throw bug
  }
  const handlers: [string, NonNullable<NonNullable<Parameters<typeof bed>[0]>['handlers']>][] = [
    ['at once', { call: fail, collect: fail, produce: fail, talk: fail, tell: fail }],
    [
      'later',
      {
        call: async () => fail(),
        collect: async () => fail(),
        async *produce() {
          yield 1
          fail()
        },
        async *talk() {
          yield 1
          fail()
        },
        tell: async () => fail(),
      },
    ],
  ]
  it.each(handlers)('is reported with its method and peer, for each pattern: %s', async (_, given) => {
    const { client, errors } = bed({ handlers: given })
    expect((await failure(client.call(1))).code).toBe('internal')
    expect((await failure(client.collect(1, [1]))).code).toBe('internal')
    expect((await failure(all(client.produce(1)))).code).toBe('internal')
    expect((await failure(all(client.talk(1, [1])))).code).toBe('internal')
    await client.tell(1)
    await turns()
    expect(errors).toEqual(
      ['kit/call', 'kit/collect', 'kit/produce', 'kit/talk', 'kit/tell'].map((method) => ({
        error: bug,
        source: { method, peer: { transport: 'test', address: 'test:' } },
      })),
    )
  })
})

describe('onError', () => {
  it('prints by default what a handler threw unawares, naming the method', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const bug = new Error('secret')
    await outcome(bug)
    expect(print).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('a/call'), bug)
  })

  it('does not print by default what a peer did wrong', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const router = createRouter(A, { call() {} })
    const [client, server] = createChannelPair()
    void client.send({ method: 'a/other' }, true)
    router.handle(server)
    expect((await failure(client.receiveOnly())).code).toBe('unimplemented')
    expect(print).not.toHaveBeenCalled()
  })

  it('that throws does the call no harm, and is printed', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const bug = new Error('in onError')
    const error = await outcome(new Error('x'), () => {
      throw bug
    })
    expect(error.code).toBe('internal')
    expect(print).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('onError'), bug)
  })
})
