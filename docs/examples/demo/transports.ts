import type { Connector, Listener } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions, type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificate } from './certificate.ts'

/** A transport that the demo runs over. */
export interface DemoTransport {
  readonly name: string
  /** Both ends. They are closed by the client and the server that get them. */
  start(): Promise<{ connector: Connector; listener: Listener }>
}

/** Each is a row of the demo's table. */
export const transports: readonly DemoTransport[] = [
  { name: 'mem', start: async () => createMemoryTransport() },
  { name: 'http2', start: () => http2({}, {}) },
  {
    name: 'http2 over TLS',
    async start() {
      const { key, cert } = await makeCertificate()
      return http2({ tls: { key, cert } }, { tls: { ca: cert } })
    },
  },
  {
    name: 'quic',
    async start() {
      const { key, cert } = await makeCertificate()
      const listener = await listenQuic({ tls: { key, cert } })
      return { listener, connector: connectQuic(listener.addresses[0] as string, { tls: { ca: cert } }) }
    },
  },
]

async function http2(listening: Http2ListenOptions, connecting: Http2ConnectOptions) {
  const listener = await listenHttp2(listening)
  return { listener, connector: connectHttp2(listener.addresses[0] as string, connecting) }
}
