import {
  type Connector,
  createClient,
  type Server,
  type StatefulConnector,
  serve,
  service,
  type,
  unary,
} from '@qrpc/core'
import { connectQuic, listenQuic, type QuicConnectOptions, type QuicListenOptions } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { type Network, startNetwork } from './network.ts'

const PERFECT = { delayMs: 0, jitterMs: 0, loss: 0, duplicates: 0, seed: 1 }
const KEY = new Uint8Array(48).fill(1)

const Store = service('store', {
  get: unary({ request: type<string>(), response: type<string>(), idempotent: true }),
  put: unary<string, string>(),
})

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

/** A {@link Store} that says what it is called with. */
class StoreServer {
  readonly calls: string[] = []
  #told: (() => void) | undefined

  async listen(options: Partial<QuicListenOptions> = {}): Promise<Server> {
    const listener = await listenQuic({ tls: certificates.server, earlyData: true, ticketKey: KEY, ...options })
    const told = (call: string): string => {
      this.calls.push(call)
      this.#told?.()
      return call
    }
    return serve(Store, { get: (key) => told(`get ${key}`), put: (key) => told(`put ${key}`) }, listener)
  }

  /** Resolves with the next call. */
  async next(): Promise<string> {
    const before = this.calls.length
    while (this.calls.length === before) {
      await new Promise<void>((resolve) => {
        this.#told = resolve
      })
    }
    return this.calls[before] as string
  }
}

const portOf = (server: Server): number => Number(new URL(server.addresses[0] as string).port)

/** A connector that was at the server behind the network before, and has lost it. */
async function connectorWithSession(
  network: Network,
  server: Server,
  options: QuicConnectOptions = {},
): Promise<StatefulConnector> {
  const connector = connectQuic(`quic://127.0.0.1:${network.port}`, {
    tls: { ca: certificates.ca },
    earlyData: true,
    initialBackoffMs: 1,
    ...options,
  })
  await storeOver(connector).put('first')
  const lost = new Promise<void>((resolve) => connector.observeState((state) => state === 'idle' && resolve()))
  await server.close()
  await lost
  return connector
}

function storeOver(connector: Connector) {
  return createClient(Store, connector)
}

describe('early data', () => {
  test('an idempotent call arrives before the handshake is done; others wait for it', async () => {
    const store = new StoreServer()
    const first = await store.listen()
    const port = portOf(first)
    await using network = await startNetwork(port, PERFECT)
    await using connector = await connectorWithSession(network, first)
    await using _second = await store.listen({ port })
    network.mute = true
    const client = storeOver(connector)
    const put = client.put('b')
    const called = store.next()
    const get = client.get('a')
    expect(await called).toBe('get a')
    network.mute = false
    expect(await Promise.all([get, put])).toEqual(['get a', 'put b'])
    expect(store.calls).toEqual(['put first', 'get a', 'put b'])
  })

  test.each([
    ['a server that takes none', { earlyData: false }],
    ['a server with another ticket key', { ticketKey: new Uint8Array(48).fill(2) }],
  ])('%s: what was sent early is sent again, and executed once', async (_, options) => {
    const store = new StoreServer()
    const first = await store.listen()
    const port = portOf(first)
    await using network = await startNetwork(port, PERFECT)
    await using connector = await connectorWithSession(network, first)
    await using _second = await store.listen({ port, ...options })
    const client = storeOver(connector)
    expect(await Promise.all([client.get('a'), client.put('b')])).toEqual(['get a', 'put b'])
    expect(store.calls.toSorted()).toEqual(['get a', 'put b', 'put first'])
  })

  test('a client that has not asked for it sends nothing early', async () => {
    const store = new StoreServer()
    const first = await store.listen()
    const port = portOf(first)
    await using network = await startNetwork(port, PERFECT)
    await using connector = await connectorWithSession(network, first, { earlyData: false, connectTimeoutMs: 300 })
    await using _second = await store.listen({ port })
    network.mute = true
    await expectStatus(storeOver(connector).get('a'), 'unavailable', /300 ms/)
    expect(store.calls).toEqual(['put first'])
  })

  test('a server that does not answer: unavailable after the connect timeout, also for calls that were sent', async () => {
    const store = new StoreServer()
    const first = await store.listen()
    const port = portOf(first)
    await using network = await startNetwork(port, PERFECT)
    await using connector = await connectorWithSession(network, first, { connectTimeoutMs: 100 })
    const client = storeOver(connector)
    network.mute = true
    await using _second = await store.listen({ port })
    await Promise.all([
      expectStatus(client.get('a'), 'unavailable', /100 ms/),
      expectStatus(client.put('b'), 'unavailable', /100 ms/),
    ])
    network.mute = false
    expect(await client.get('c')).toBe('get c')
  })
})
