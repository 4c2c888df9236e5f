import { balance, combineConnectors } from '@qrpc/combined'
import type { Listener, Server } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificate } from './certificate.ts'
import { Outages } from './outages.ts'
import type { Tally } from './tally.ts'
import type { Started } from './transports.ts'

const BACKOFF = { initialBackoffMs: 1, maxBackoffMs: 20 }

/** QUIC and HTTP/2 as one, each of which is taken away and brought back while the demo runs. */
export async function startCombined(serve: (listener: Listener) => Server, tally: Tally): Promise<Started> {
  const tls = await makeCertificate()
  const quic = await listenQuic({ tls })
  const http2 = await listenHttp2({ tls })
  const [quicAddress] = quic.addresses as [string]
  const [http2Address] = http2.addresses as [string]
  const connectors = {
    quic: connectQuic(quicAddress, { tls: { ca: tls.cert }, ...BACKOFF }),
    http2: connectHttp2(http2Address, { tls: { ca: tls.cert }, ...BACKOFF }),
  }
  const servers = new Map([
    [{ transport: 'quic', listen: () => listenQuic({ tls, port: portOf(quicAddress) }) }, serve(quic)],
    [{ transport: 'http2', listen: () => listenHttp2({ tls, port: portOf(http2Address) }) }, serve(http2)],
  ])
  const outages = new Outages(servers, serve, tally)
  return {
    connector: combineConnectors(connectors, balance('round_robin'), BACKOFF),
    [Symbol.asyncDispose]: () => outages[Symbol.asyncDispose](),
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
