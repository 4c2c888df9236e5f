import type { Connector, Listener, Server } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions, type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificate } from './certificate.ts'
import { startCombined } from './combined.ts'
import type { Tally } from './tally.ts'

/** A transport that the demo runs over. */
export interface DemoTransport {
  readonly name: string
  /** Serves with what it is given. Disposing of what it returns ends the servers, not the connector. */
  start(serve: (listener: Listener) => Server, tally: Tally): Promise<Started>
}

/** Servers, and what reaches them. */
export interface Started extends AsyncDisposable {
  readonly connector: Connector
}

type BothEnds = () => Promise<{ connector: Connector; listener: Listener }>

/** Each is a row of the demo's table. */
export const transports: readonly DemoTransport[] = [
  one('mem', async () => createMemoryTransport()),
  one('http2', () => http2({}, {})),
  one('http2 over TLS', async () => {
    const { key, cert } = await makeCertificate()
    return http2({ tls: { key, cert } }, { tls: { ca: cert } })
  }),
  one('quic', async () => {
    const { key, cert } = await makeCertificate()
    const listener = await listenQuic({ tls: { key, cert } })
    return { listener, connector: connectQuic(listener.addresses[0] as string, { tls: { ca: cert } }) }
  }),
  { name: 'combined', start: startCombined },
]

function one(name: string, makeEnds: BothEnds): DemoTransport {
  return {
    name,
    async start(serve) {
      const { connector, listener } = await makeEnds()
      const server = serve(listener)
      return { connector, [Symbol.asyncDispose]: () => server.close() }
    },
  }
}

async function http2(listening: Http2ListenOptions, connecting: Http2ConnectOptions) {
  const listener = await listenHttp2(listening)
  return { listener, connector: connectHttp2(listener.addresses[0] as string, connecting) }
}
