import { combineListeners } from '@qrpc/combined'
import { createClient, type Listener, RpcError, serve, service, unary } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { describe, expect, test } from 'vitest'

const Where = service('where', { transport: unary<void, string>() })
const handlers = { transport: (_: unknown, { peer }: { peer: { transport: string } }) => peer.transport }

/** A listener that fails at all that it is asked. */
function broken(error: RpcError): Listener {
  return {
    addresses: ['broken:'],
    accept: () => Promise.reject(error),
    onChannel() {
      throw error
    },
    close: () => Promise.reject(error),
    async *[Symbol.asyncIterator]() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

describe('combineListeners', () => {
  test('one server accepts from all, and tells which transport carried the call', async () => {
    const mem = createMemoryTransport()
    const http2 = await listenHttp2()
    const server = serve(Where, handlers, combineListeners([mem.listener, undefined, http2]))
    expect(server.addresses).toEqual(['mem:', ...http2.addresses])
    await using connector = connectHttp2(http2.addresses[0] as string)
    expect(await createClient(Where, connector).transport()).toBe('http2')
    expect(await createClient(Where, mem.connector).transport()).toBe('mem')
    await server.close()
    await expect(createClient(Where, mem.connector).transport()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(createClient(Where, connector).transport()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a listener that fails is reported by name, and the others go on: with a callback', async () => {
    const mem = createMemoryTransport()
    const error = new RpcError('internal', 'broken')
    const heard: unknown[] = []
    const listener = combineListeners(
      { bad: broken(error), good: mem.listener },
      { onError: (...reported) => heard.push(reported) },
    )
    const server = serve(Where, handlers, listener)
    expect(await createClient(Where, mem.connector).transport()).toBe('mem')
    await server.close()
    expect(heard).toEqual([
      [error, 'bad'],
      [error, 'bad'],
    ])
  })

  test('a listener that fails is reported by name, and the others go on: with an accept loop', async () => {
    const mem = createMemoryTransport()
    const error = new RpcError('internal', 'broken')
    const heard: unknown[] = []
    const listener = combineListeners(
      { bad: broken(error), good: mem.listener },
      { onError: (...reported) => heard.push(reported) },
    )
    const accepting = listener.accept()
    const channel = await mem.connector.open()
    await channel.send('hello', true)
    expect(await (await accepting)?.receive()).toBe('hello')
    expect(heard).toEqual([[error, 'bad']])
    const ended = listener.accept()
    await listener.close({ graceMs: 0 })
    expect(await ended).toBeUndefined()
    expect(await listener.accept()).toBeUndefined()
  })

  test('with none that works it fails as they do', () => {
    const error = new RpcError('internal', 'broken')
    const listener = combineListeners([broken(error)], { onError() {} })
    expect(() => listener.onChannel(() => {})).toThrow(error)
  })
})
