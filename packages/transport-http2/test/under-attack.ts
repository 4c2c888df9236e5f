import { createClient, type Handlers, RpcError, serve } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions, type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { expect } from 'vitest'
import { Echo, handlers } from './service.ts'

/**
 * A server of {@link Echo} with a client on a connection of its own that behaves: it works before, at the end, and
 * whenever `othersGoOn` is called.
 */
export async function underAttack(
  listening: Http2ListenOptions = {},
  changed: Partial<Handlers<typeof Echo>> = {},
  connecting: Http2ConnectOptions = {},
) {
  const listener = await listenHttp2(listening)
  const errors: string[] = []
  const server = serve(Echo, { ...handlers, ...changed }, listener, {
    onError: (error) => errors.push(error instanceof RpcError ? error.code : String(error)),
  })
  const address = listener.addresses[0] as string
  const connector = connectHttp2(address, connecting)
  const client = createClient(Echo, connector)
  let sessions = 0
  listener.server.on('session', () => sessions++)
  // One call that goes on through all of it; its handler is the one that nobody changes.
  const running = client.wait()
  running.catch(() => {})
  let calls = 0

  async function othersGoOn(): Promise<void> {
    expect(await client.echo(++calls)).toBe(calls)
    expect(connector.state).toBe('ready')
  }
  await othersGoOn()

  return {
    listener,
    address,
    port: Number(new URL(address).port),
    /** What `onError` was told: codes of RpcErrors. */
    errors,
    /** How many connections there were besides the one of the client that behaves. */
    get sessions() {
      return sessions - 1
    },
    othersGoOn,
    async [Symbol.asyncDispose]() {
      await othersGoOn()
      const outcome = running.then(
        () => expect.fail('ended by itself'),
        (error: RpcError) => error.code,
      )
      await connector.close()
      expect(await outcome).toBe('cancelled')
      await server.close({ graceMs: 0 })
      while (listener.counters.connections > 0) await new Promise(setImmediate)
      expect(listener.counters.bytesKept).toBe(0)
    },
  }
}
