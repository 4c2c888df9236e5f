import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

// Below those that the kernel gives to connections: a port stays free while the process that had it is away.
const FIRST = 20_000
const COUNT = 12_000

/** Ports of 127.0.0.1 that nobody listens at. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) {
    const server = createServer()
    try {
      server.listen(FIRST + Math.floor(Math.random() * COUNT), '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
    } catch {
      // Taken.
    }
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
