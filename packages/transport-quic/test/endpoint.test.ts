import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createClient, type RpcError } from '@qrpc/core'
import { connectQuic, listenQuic, QuicEndpoint } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { startNetwork } from './network.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

/** Random numbers that are the same each time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    yield state
  }
}

describe('connectQuic', () => {
  test.each(['', '127.0.0.1:1', 'http://127.0.0.1:1', 'quic://127.0.0.1', 'quic://127.0.0.1:0', 'quic://a b:1'])(
    'refuses the address %o',
    (address) => {
      expect(() => connectQuic(address)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    },
  )

  test.each([
    { maxConcurrentStreams: 0 },
    { connectTimeoutMs: -1 },
    { idleTimeoutMs: Number.NaN },
    { streamWindow: 0 },
    { maxDatagramSize: 1199 },
    { congestionControl: 'vegas' as 'bbr' },
    { initialBackoffMs: 10, maxBackoffMs: 5 },
  ])('refuses the options %o, and names what is wrong', (options) => {
    const name = Object.keys(options)[0] as string
    expect(() => connectQuic('quic://127.0.0.1:1', options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(name) }),
    )
  })

  test('nobody there: unavailable with the error of the socket as cause', async () => {
    const { ca, server } = certificates
    const listener = await listenQuic({ tls: server })
    const [address] = listener.addresses as [string]
    await listener.close()
    await using connector = connectQuic(address, { tls: { ca } })
    const error = await expectStatus(createClient(Echo, connector).echo(1), 'unavailable', address)
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' })
    expect(connector.state).toBe('transient_failure')
  })

  test('a peer that stays silent: unavailable after the connect timeout', async () => {
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    await using connector = connectQuic(`quic://127.0.0.1:${silent.address().port}`, { connectTimeoutMs: 50 })
    await expectStatus(createClient(Echo, connector).echo(1), 'unavailable', /50 ms/)
    silent.close()
    await once(silent, 'close')
  })

  test('a server that no longer answers is lost after the idle timeout', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server })
    const network = await startNetwork(portOf(echo.address), {
      delayMs: 0,
      jitterMs: 0,
      loss: 0,
      duplicates: 0,
      seed: 1,
    })
    await using connector = connectQuic(`quic://127.0.0.1:${network.port}`, { tls: { ca }, idleTimeoutMs: 300 })
    const client = createClient(Echo, connector)
    await client.echo(1)
    const waiting = expectStatus(client.wait(), 'unavailable')
    await network.close()
    await waiting
  })
})

describe('one UDP socket', () => {
  test('carries a listener and many connectors', async () => {
    const { ca, server } = certificates
    const nodes = await Promise.all([1, 2, 3].map(() => QuicEndpoint.bind()))
    const servers = await Promise.all(
      nodes.map(async (endpoint) => serveEcho(await listenQuic({ endpoint, tls: server }))),
    )
    const connectors = nodes.flatMap((endpoint) =>
      nodes
        .filter((other) => other !== endpoint)
        .map((other) => connectQuic(`quic://127.0.0.1:${other.port}`, { endpoint, tls: { ca } })),
    )
    const answers = await Promise.all(connectors.map((connector, n) => createClient(Echo, connector).echo(n)))
    expect(answers).toEqual([0, 1, 2, 3, 4, 5])
    await Promise.all(connectors.map((connector) => connector.close()))
    await Promise.all(servers.map((each) => each.close({ graceMs: 0 })))
    await Promise.all(nodes.map((endpoint) => endpoint.close()))
  })

  test('has one listener, and none once it is closed', async () => {
    const { server } = certificates
    const endpoint = await QuicEndpoint.bind()
    const first = await listenQuic({ endpoint, tls: server })
    await expectStatus(listenQuic({ endpoint, tls: server }), 'failed_precondition', /listener already/)
    await first.close()
    await (await listenQuic({ endpoint, tls: server })).close()
    await endpoint.close()
    await expectStatus(listenQuic({ endpoint, tls: server }), 'failed_precondition', /closed/)
  })

  test('an address that is taken is unavailable, and the text names it', async () => {
    await using endpoint = await QuicEndpoint.bind()
    await expectStatus(QuicEndpoint.bind({ port: endpoint.port }), 'unavailable', String(endpoint.port))
  })
})

describe('a listener', () => {
  test('asks for a proof of the address (Retry) where it is told to', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server, retryAbove: 0 }, { tls: { ca } })
    expect(await echo.client.echo('proven')).toBe('proven')
  })

  test('leaves those without an answer that come beyond maxConnections; those before them go on', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server, maxConnections: 1 }, { tls: { ca } })
    await echo.client.echo(1)
    await using second = connectQuic(echo.address, { tls: { ca }, connectTimeoutMs: 100 })
    await expectStatus(createClient(Echo, second).echo(2), 'unavailable')
    expect(await echo.client.echo(3)).toBe(3)
  })

  test('survives 20,000 datagrams of garbage, and goes on to serve', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    await echo.client.echo(1)
    const port = portOf(echo.address)
    const attacker = createSocket('udp4')
    const random = numbers(7)
    const next = (): number => random.next().value
    const answers: unknown[] = []
    for (let n = 0; n < 20_000; n++) {
      const datagram = Buffer.alloc(next() % 1400)
      for (let i = 0; i < Math.min(60, datagram.length); i++) datagram[i] = next() >> 8
      // Half of them look like the first packet of a connection.
      if (n % 2 === 0 && datagram.length > 5) datagram.set([0xc0 | (next() & 0x3f), 0, 0, 0, 1, 20])
      attacker.send(datagram, port, '127.0.0.1')
      if (n % 200 === 0) answers.push(await echo.client.echo(n))
    }
    expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n * 200))
    expect(await echo.client.echo('alive')).toBe('alive')
    attacker.close()
    await once(attacker, 'close')
  })

  test('takes back what 200 abandoned streams of a connection were sent and never read', async () => {
    const { ca, server } = certificates
    const windows = { streamWindow: 64 * 1024, connectionWindow: 256 * 1024 }
    await using echo = await connectEcho({ ...windows, tls: server }, { ...windows, tls: { ca } })
    const large = new Uint8Array(32 * 1024)
    for (let n = 0; n < 200; n++) {
      const call = echo.client.talk()
      await call.send(large)
      await call.send(large)
      await call.receive()
      call.cancel()
    }
    expect(await echo.client.echo(large)).toEqual(large)
  })

  test('5,000 cancelled calls in a row use up neither streams nor the connection', async () => {
    const { ca, server } = certificates
    const states: unknown[] = []
    await using echo = await connectEcho({ tls: server, maxConcurrentStreams: 50 }, { tls: { ca } })
    echo.connector.observeState((state, error?: RpcError) => states.push([state, error]))
    for (let n = 0; n < 5000; n++) {
      const call = echo.client.talk()
      await call.send(n)
      expect(await call.receive()).toBe(n)
      call.cancel()
    }
    expect(await echo.client.echo(1)).toBe(1)
    expect(states.map((entry) => (entry as unknown[])[0])).toEqual(['connecting', 'ready'])
  })
})
