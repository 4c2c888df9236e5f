import { createClient, serve, service, unary } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'

const Compute = service('compute', { sqr: unary<number, number>() })

const { connector, listener } = createMemoryTransport()
await using _server = serve(Compute, { sqr: async (n) => n * n }, listener)
await using client = createClient(Compute, connector)

console.log(`4 squared is ${await client.sqr(4)}`)
