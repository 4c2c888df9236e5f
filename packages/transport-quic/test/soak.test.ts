import { createClient } from '@qrpc/core'
import { connectQuic, listenQuic, QuicEndpoint } from '@qrpc/transport-quic'
import { beforeAll, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

// QRPC_SOAK=10 makes it a million calls and a hundred thousand cancelled ones.
const TIMES = Number(process.env.QRPC_SOAK ?? 1)
const CALLS = 100_000 * TIMES
const CANCELLED = 10_000 * TIMES
const MIB = 1024 * 1024

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

/** Both sides of the connection are in this process. */
async function connect() {
  const { ca, server } = certificates
  return connectEcho({ tls: server }, { tls: { ca } })
}

async function repeated(count: number, inFlight: number, call: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

test(
  `${CALLS} calls on one connection, and memory stays flat`,
  async () => {
    await using echo = await connect()
    const call = (n: number): Promise<unknown> => echo.client.echo(n)
    await repeated(CALLS / 2, 64, call)
    const { rss } = process.memoryUsage()
    await repeated(CALLS / 2, 64, call)
    // quiche keeps 17 bytes for each stream that has been.
    expect(process.memoryUsage().rss - rss).toBeLessThan(60 * MIB + CALLS * 40)
    expect(await echo.client.echo('after')).toBe('after')
  },
  120_000 * TIMES,
)

test(
  `${CANCELLED} cancelled calls on one connection, and memory stays flat`,
  async () => {
    await using echo = await connect()
    const call = async (): Promise<void> => {
      const abort = new AbortController()
      const outcome = expectStatus(echo.client.wait(undefined, { signal: abort.signal }), 'cancelled')
      await echo.client.echo(1)
      abort.abort()
      await outcome
    }
    await repeated(CANCELLED / 2, 50, call)
    const { rss } = process.memoryUsage()
    await repeated(CANCELLED / 2, 50, call)
    expect(process.memoryUsage().rss - rss).toBeLessThan(60 * MIB + CANCELLED * 80)
    expect(await echo.client.echo('after')).toBe('after')
  },
  120_000 * TIMES,
)

test('10,000 calls opened at once against a limit of 100 streams all come through', async () => {
  const { ca, server } = certificates
  await using echo = await connectEcho({ tls: server, maxConcurrentStreams: 100 }, { tls: { ca } })
  const calls = Array.from({ length: 10_000 }, (_, n) => echo.client.echo(n))
  expect(await Promise.all(calls)).toEqual([...Array(10_000).keys()])
})

test('1,000 connections to one listener, from one socket', async () => {
  const { ca, server } = certificates
  await using endpoint = await QuicEndpoint.bind()
  await using served = serveEcho(await listenQuic({ tls: server }))
  const [address] = served.addresses as [string]
  const connectors = Array.from({ length: 1000 }, () => connectQuic(address, { endpoint, tls: { ca } }))
  const clients = connectors.map((connector) => createClient(Echo, connector))
  for (const round of ['a', 'b']) {
    const echoes = await Promise.all(clients.map((client, n) => client.echo(`${round} ${n}`)))
    expect(echoes).toEqual(clients.map((_, n) => `${round} ${n}`))
  }
  await Promise.all(connectors.map((connector) => connector.close()))
}, 60_000)
