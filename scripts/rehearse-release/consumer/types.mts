// What a program sees of the published types, without a type of its own. It is type checked only.
import { combineConnectors, failover } from '@qrpc/combined'
import {
  bidiStreaming,
  type Client,
  clientStreaming,
  createClient,
  type Handlers,
  RpcError,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { CallCounters, callEvents } from '@qrpc/diagnostics'
import { Health, ServerHealth } from '@qrpc/health'
import { clientTelemetry, serverTelemetry } from '@qrpc/opentelemetry'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { createCborCodec } from '@qrpc/wire'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(value?: T) => value

const Compute = service('compute', {
  sqr: unary<number, number>(),
  sum: clientStreaming<void, number, number>(),
  fibonacci: serverStreaming<number, bigint>(),
  multiply: bidiStreaming<number, number, number>(),
})
const Node = service('node', { compute: Compute, health: Health })

const compute: Handlers<typeof Compute> = {
  sqr: async (n, { signal }) => (signal.aborted ? 0 : n * n),
  sum: async (_, updates) => {
    let total = 0
    for await (const n of updates) {
      holds<Equal<typeof n, number>>()
      total += n
    }
    return total
  },
  async *fibonacci(count) {
    for (let i = 0; i < count; i++) yield BigInt(i)
  },
  async *multiply(factor, updates) {
    for await (const n of updates) yield factor * n
  },
}

export async function program(tls: { key: string; cert: string }): Promise<void> {
  const { connector, listener } = createMemoryTransport()
  const health = new ServerHealth()
  const counters = new CallCounters()
  await using server = serve(Node, { compute, health }, listener, {
    interceptors: [serverTelemetry(), callEvents('server'), counters.interceptor],
  })
  health.drainWith(server)
  await using client = createClient(Node, connector, { interceptors: [clientTelemetry()] })
  holds<Equal<typeof client.compute, Client<typeof Compute>>>()

  const square = await client.compute.sqr(4, { timeout: 1_000 })
  holds<Equal<typeof square, number>>()
  const total = await client.compute.sum(undefined, [1, 2, 3])
  holds<Equal<typeof total, number>>()
  for await (const item of client.compute.fibonacci(10)) holds<Equal<typeof item, bigint>>()
  const call = client.compute.multiply(2)
  await call.send(21)
  const product = await call.receive()
  holds<Equal<typeof product, number | undefined>>()

  // @ts-expect-error: the request is a number
  await client.compute.sqr('4')
  // @ts-expect-error: there is no such method
  await client.compute.cube(4)
  // @ts-expect-error: a handler is missing
  serve(Node, { compute }, listener)

  await using http2 = await listenHttp2({ port: 0, tls })
  await using quic = await listenQuic({ port: 0, tls })
  const connectors = {
    quic: connectQuic(quic.addresses[0] as string, { tls: { ca: tls.cert } }),
    http2: connectHttp2(http2.addresses[0] as string, { tls: { ca: tls.cert } }),
  }
  await using far = createClient(Compute, combineConnectors(connectors, failover()))
  await far.sqr(createCborCodec().encode(4).length).catch((error: unknown) => {
    if (!(error instanceof RpcError)) throw error
    holds<Equal<typeof error.code, RpcError['code']>>()
  })
}
