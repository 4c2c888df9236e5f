import { type Interceptor, RpcError } from '@qrpc/core'
import { expect, it } from 'vitest'
import { bed } from './support/bed.ts'
import { all, failure } from './support/wait.ts'

// A second attempt that got an empty or half stream of updates would succeed with the wrong answer.
const retry: Interceptor = async (call, next) => {
  try {
    return await next(call)
  } catch {
    return next(call)
  }
}

function failingOnce() {
  let attempts = 0
  return {
    async collect(_: number, updates: AsyncIterable<number>) {
      const got = await all(updates)
      if (++attempts === 1) throw new RpcError('unavailable', 'try again')
      return got.length
    },
  }
}

it.each(['clientInterceptors', 'serverInterceptors'] as const)(
  'a retry of a call with updates fails with failed_precondition: %s',
  async (side) => {
    const { client } = bed({ handlers: failingOnce(), [side]: [retry] })
    const error = await failure(client.collect(0, [1, 2, 3]))
    expect(error).toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('taken once') })
  },
)

it('a retry that has kept the updates passes them on again', async () => {
  const keeping: Interceptor = async (call, next) => {
    const kept = await all(call.updates ?? (async function* () {})())
    const again = async function* () {
      yield* kept
    }
    try {
      return await next({ ...call, updates: again() })
    } catch {
      return next({ ...call, updates: again() })
    }
  }
  const { client } = bed({ handlers: failingOnce(), clientInterceptors: [keeping] })
  expect(await client.collect(0, [1, 2, 3])).toBe(3)
})
