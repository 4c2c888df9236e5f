import { balance, combineConnectors } from '@qrpc/combined'
import { createClient, type Listener, type StatefulConnector, serve, service, unary } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { expect, test } from 'vitest'
import { makeCertificate } from './certificate.ts'

const Work = service('work', { add: unary<number, number>() })

const CALLERS = 20
const CALLS_BETWEEN = 300

const certificate = await makeCertificate()

interface Kind {
  listen(port: number): Promise<Listener>
  connect(address: string): StatefulConnector
}

const kinds: [string, Kind][] = [
  ['http2', { listen: (port) => listenHttp2({ port }), connect: (address) => connectHttp2(address) }],
  [
    'quic',
    {
      listen: (port) => listenQuic({ port, tls: certificate }),
      connect: (address) => connectQuic(address, { tls: { ca: certificate.cert } }),
    },
  ],
]

test.each(kinds)(
  'two %s servers are restarted in turns under load, and no call fails or runs twice',
  async (_, kind) => {
    let handled = 0
    const start = async (port: number) => {
      const listener = await kind.listen(port)
      const handler = async (n: number): Promise<number> => {
        handled++
        await new Promise(setImmediate)
        return n + 1
      }
      const [address] = listener.addresses as [string]
      return { server: serve(Work, { add: handler }, listener), address, port: Number(address.split(':').at(-1)) }
    }
    const nodes = [await start(0), await start(0)]
    const members = nodes.map(({ address }) => kind.connect(address))
    const connector = combineConnectors(members, balance())
    const client = createClient(Work, connector)

    let calling = true
    let answered = 0
    const callers = Array.from({ length: CALLERS }, async () => {
      while (calling) {
        expect(await client.add(answered)).toBeGreaterThan(0)
        answered++
      }
    })
    const more = async (): Promise<void> => {
      const until = answered + CALLS_BETWEEN
      while (answered < until) await Promise.race([new Promise(setImmediate), ...callers])
    }

    await more()
    for (const [index, node] of nodes.entries()) {
      await node.server.close({ graceMs: 30_000 })
      await more()
      nodes[index] = await start(node.port)
      await more()
    }
    calling = false
    await Promise.all(callers)
    expect(handled).toBe(answered)
    await connector.close()
    for (const node of nodes) await node.server.close({ graceMs: 0 })
  },
)
