import type { Interceptor, Peer } from '@qrpc/core'
import { describe, expect, it, vi } from 'vitest'
import { bed, CALLS } from './support/bed.ts'
import type { Open } from './support/transport.ts'
import { all, failure } from './support/wait.ts'

const PEER: Peer = { transport: 'test', address: 'test:' }
const pass: Interceptor = (call, next) => next(call)
const later: Open = async (pair) => pair()

const WAYS = {
  'at once': {},
  'over a channel that comes later': { open: later },
  'through interceptors': { clientInterceptors: [pass, pass] },
  'through interceptors, over a channel that comes later': { clientInterceptors: [pass], open: later },
}

describe.each(Object.entries(WAYS))('%s', (_, options) => {
  it.each(CALLS)('onPeer hears once what carries the call: $name', async ({ run, result }) => {
    const peers: Peer[] = []
    const { client } = bed(options)
    expect(await run(client, { onPeer: (peer) => peers.push(peer) })).toEqual(result)
    expect(peers).toEqual([PEER])
  })

  it('a streaming call knows its peer once it has started', async () => {
    const { client } = bed(options)
    const call = client.produce(2)
    await call.started
    expect(call.peer).toEqual(PEER)
    expect(await all(call)).toEqual([0, 1])
  })

  it('an error of onPeer is reported, and the call goes on', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    const error = new Error('onPeer')
    const { client } = bed(options)
    const call = client.call(2, {
      onPeer() {
        throw error
      },
    })
    expect(await call).toBe(4)
    expect(reported.mock.calls).toEqual([[expect.stringContaining('onPeer'), error]])
    reported.mockRestore()
  })
})

describe('onPeer', () => {
  it('is told before the request is sent', async () => {
    const order: string[] = []
    const { client } = bed({
      handlers: {
        call(n) {
          order.push('handler')
          return n
        },
      },
    })
    await client.call(1, { onPeer: () => order.push('onPeer') })
    expect(order).toEqual(['onPeer', 'handler'])
  })

  it('hears nothing of a call that no transport took, nor of one that was cut short before', async () => {
    const onPeer = vi.fn<(peer: Peer) => void>()
    const { client } = bed({ open: () => Promise.reject(new Error('no')) })
    expect((await failure(client.call(1, { onPeer }))).code).toBe('unavailable')
    const controller = new AbortController()
    const aborted = bed({ open: later }).client.call(1, { onPeer, signal: controller.signal })
    controller.abort()
    expect((await failure(aborted)).code).toBe('cancelled')
    expect(onPeer).not.toHaveBeenCalled()
  })

  it('hears of each attempt of an interceptor that retries, which can hear it, too', async () => {
    const heard: string[] = []
    const retry: Interceptor = async (call, next) => {
      const onPeer = (peer: Peer): void => {
        heard.push('interceptor')
        call.onPeer?.(peer)
      }
      await next({ ...call, onPeer })
      return next({ ...call, onPeer })
    }
    const { client } = bed({ clientInterceptors: [retry] })
    expect(await client.call(1, { onPeer: () => heard.push('caller') })).toBe(2)
    expect(heard).toEqual(['interceptor', 'caller', 'interceptor', 'caller'])
  })

  it('is not asked for where an interceptor answers by itself', async () => {
    const onPeer = vi.fn<(peer: Peer) => void>()
    const { client } = bed({ clientInterceptors: [async () => ({ response: 7 })] })
    expect(await client.call(1, { onPeer })).toBe(7)
    expect(onPeer).not.toHaveBeenCalled()
  })
})
