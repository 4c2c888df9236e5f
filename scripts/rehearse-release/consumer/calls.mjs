// What a program does with what it has installed, however it has loaded it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const TIMEOUT_MS = 30_000

/** Makes a call of each pattern over a transport. */
export async function callOver(core, transport, { connector, listener }) {
  const { bidiStreaming, clientStreaming, createClient, notify, serve, serverStreaming, service, unary } = core
  const told = []
  const Compute = service('compute', {
    sqr: unary(),
    sum: clientStreaming(),
    fibonacci: serverStreaming(),
    multiply: bidiStreaming(),
    tell: notify(),
  })
  const handlers = {
    sqr: async (n) => n * n,
    sum: async (_, updates) => {
      let total = 0
      for await (const n of updates) total += n
      return total
    },
    async *fibonacci(count) {
      for (let i = 0, a = 0, b = 1; i < count; i++, [a, b] = [b, a + b]) yield a
    },
    async *multiply(factor, updates) {
      for await (const n of updates) yield factor * n
    },
    tell: async (word) => {
      told.push(word)
    },
  }
  const server = serve(Compute, handlers, listener)
  const client = createClient(Compute, connector)
  const options = { timeout: TIMEOUT_MS }
  await client.tell('hello', options)
  assert.equal(await client.sqr(1234, options), 1_522_756)
  assert.equal(await client.sum(undefined, [1, 2, 3], options), 6)
  const items = []
  for await (const item of client.fibonacci(10, options)) items.push(item)
  assert.deepEqual(items, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
  const products = []
  for await (const product of client.multiply(2, [1, 2, 3], options)) products.push(product)
  assert.deepEqual(products, [2, 4, 6])
  await assert.rejects(client.sqr(1n, { timeout: 0 }), { code: 'deadline_exceeded' })
  await client[Symbol.asyncDispose]()
  await server.close()
  assert.deepEqual(told, ['hello'])
  console.log(`${transport}: ok`)
}

/** Makes them over all transports, and has the packages beside them do something. */
export async function callOverAll({ core, mem, http2, quic, combined, wire, diagnostics, health, opentelemetry }) {
  await callOver(core, 'mem', mem.createMemoryTransport())

  const clear = await http2.listenHttp2({ port: 0 })
  await callOver(core, 'HTTP/2', { listener: clear, connector: http2.connectHttp2(clear.addresses[0]) })

  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(new URL(name, import.meta.url)))
  const udp = await quic.listenQuic({ port: 0, tls: { key, cert } })
  const overUdp = quic.connectQuic(udp.addresses[0], { tls: { ca: cert } })
  const both = combined.combineConnectors({ quic: overUdp }, combined.failover())
  await callOver(core, 'QUIC, combined', { listener: udp, connector: both })

  const codec = wire.createCborCodec()
  assert.deepEqual(codec.decode(codec.encode({ a: [1, 'b'] })), { a: [1, 'b'] })

  const counters = new diagnostics.CallCounters()
  const statuses = new health.ServerHealth()
  const { connector, listener } = mem.createMemoryTransport()
  const server = statuses.drainWith(
    core.serve(health.Health, statuses, listener, {
      interceptors: [opentelemetry.serverTelemetry(), diagnostics.callEvents('server'), counters.interceptor],
    }),
  )
  const client = core.createClient(health.Health, connector, { interceptors: [opentelemetry.clientTelemetry()] })
  assert.deepEqual(await client.check({}, { timeout: TIMEOUT_MS }), { status: 'serving' })
  await client[Symbol.asyncDispose]()
  await server.close()
  assert.equal(counters.read()['health/check'].ended.ok, 1)
}
