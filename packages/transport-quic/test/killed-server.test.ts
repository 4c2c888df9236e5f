import { ListenerProcess } from '@qrpc/conformance'
import { createClient, type RpcError, serve } from '@qrpc/core'
import { connectQuic, QuicEndpoint } from '@qrpc/transport-quic'
import { expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { makeCertificates } from './certificates.ts'
import type { ListenerSettings } from './listener-process.ts'
import { Echo, handlers } from './service.ts'

test('a server that dies by SIGKILL is noticed, and calls go on with the one in its place', async () => {
  const { ca, server: tls } = await makeCertificates()
  await using listeners = new ListenerProcess({
    module: new URL('./listener-process.ts', import.meta.url),
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    settings: { tls } satisfies ListenerSettings,
  })
  await listeners.start()
  const listener = await listeners.listen({})
  const { addresses } = listener
  const [address] = addresses as [string]
  serve(Echo, handlers, listener)

  // The kernel tells a socket of one peer that nobody is there; one of many hears nothing, and has the idle timeout.
  await using endpoint = await QuicEndpoint.bind()
  await using told = connectQuic(address, { tls: { ca } })
  await using untold = connectQuic(address, { tls: { ca }, endpoint, idleTimeoutMs: 500 })
  const connectors = [told, untold]
  const clients = connectors.map((connector) => createClient(Echo, connector))
  const waiting: Promise<RpcError>[] = []
  for (const client of clients) {
    expect(await client.echo('before')).toBe('before')
    waiting.push(expectStatus(client.wait(), 'unavailable'))
  }
  await listeners.kill()
  // A packet for the one that is no longer there.
  const atOnce = await expectStatus((clients[0] as (typeof clients)[0]).echo('to nobody'), 'unavailable')
  const [first, second] = await Promise.all(waiting)
  for (const error of [atOnce, first]) expect(error?.message).toContain('nobody answers')
  expect(second?.message).toContain('no longer answers')

  const server = serve(Echo, handlers, await listeners.listen({ addresses }))
  for (const client of clients) expect(await client.echo('after')).toBe('after')
  await Promise.all(connectors.map((connector) => connector.close()))
  await server.close({ graceMs: 0 })
}, 60_000)
