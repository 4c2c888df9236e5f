import { createClient, type Handlers, RpcError, serve } from '@qrpc/core'
import { connectQuic, listenQuic, type QuicListenOptions } from '@qrpc/transport-quic'
import { expect } from 'vitest'
import { type Certificates, makeCertificates } from './certificates.ts'
import { RawClient, type RawClientOptions } from './raw-client.ts'
import { Echo, handlers } from './service.ts'

let certificates: Promise<Certificates> | undefined

/**
 * A server of {@link Echo} with a client on a connection of its own that behaves: it works before, at the end, and
 * whenever `othersGoOn` is called.
 */
export async function underAttack(
  listening: Omit<QuicListenOptions, 'tls'> = {},
  changed: Partial<Handlers<typeof Echo>> = {},
) {
  certificates ??= makeCertificates()
  const { ca, server: tls } = await certificates
  const listener = await listenQuic({ ...listening, tls })
  const errors: string[] = []
  const server = serve(Echo, { ...handlers, ...changed }, listener, {
    onError: (error) => errors.push(error instanceof RpcError ? error.code : String(error)),
  })
  const address = listener.addresses[0] as string
  const connector = connectQuic(address, { tls: { ca } })
  const client = createClient(Echo, connector)
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
    ca,
    /** What `onError` was told: codes of RpcErrors. */
    errors,
    othersGoOn,
    /** A client that may do as it likes. */
    attacker: (options?: RawClientOptions) => RawClient.connect(address, ca, options),
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
