import { RpcError, type Server, serve } from '@qrpc/core'
import { listenHttp2 } from '@qrpc/transport-http2'
import { FLOOD_CHUNK, type Notice, type Order, Probe, type ProbeServerSettings, type Report } from './probe.ts'

// A process of its own, for a proxy to stand before and for a test to kill.

const releases = new Map<string, () => void>()
let server: Server | undefined

process.on('message', (order: Order) => {
  if ('listen' in order) void listen(order.listen)
  else releases.get(order.release)?.()
})
process.once('SIGTERM', () => {
  void server?.close({ graceMs: 30_000 }).then(() => process.disconnect())
})
process.on('disconnect', () => process.exit())

function say(notice: Notice): void {
  process.send?.(notice)
}

function report(event: Report['event'], key: string, detail?: string | number): void {
  say({ report: { event, key, detail } })
}

async function listen({ name, port, tls }: ProbeServerSettings): Promise<void> {
  const listener = await listenHttp2({ port, ...(tls && { tls: { ...tls, requestCert: true } }) })
  server = serve(
    Probe,
    {
      server: () => name,
      echo: (message) => message,
      work: async (key) => {
        report('started', key, name)
        await new Promise(setImmediate)
        return key
      },
      metadata: (_, { metadata }) => [...metadata],
      refuse: (key) => {
        throw Probe.refuse.error('NotFound', { key })
      },
      hold: (key, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            report('aborted', key, signal.reason instanceof RpcError ? signal.reason.code : String(signal.reason))
            resolve()
          })
          report('started', key, name)
        }),
      async sum(_, updates) {
        let total = 0
        for await (const n of updates) total += n
        return total
      },
      async swallow(key, updates) {
        const released = new Promise<void>((resolve) => releases.set(key, resolve))
        report('started', key, name)
        await released
        let size = 0
        for await (const bytes of updates) size += bytes.length
        return size
      },
      *count(to) {
        for (let n = 0; n < to; n++) yield n
      },
      *flood(key) {
        const chunk = new Uint8Array(FLOOD_CHUNK)
        try {
          for (let n = 1; ; n++) {
            report('yielded', key, n)
            yield chunk
          }
        } finally {
          report('ended', key)
        }
      },
      async *double(_, updates) {
        let count = 0
        yield name
        for await (const n of updates) {
          count++
          yield 2 * n
        }
        yield count
      },
      tell: (key) => report('told', key),
      peer: (_, { peer }) => ({ address: peer.address, certificate: peer.certificate }),
    },
    listener,
  )
  say({ listening: listener.addresses[0] as string })
}
