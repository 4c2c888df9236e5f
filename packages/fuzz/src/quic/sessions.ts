import { createClient } from '@qrpc/core'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import type { Certificate } from '../certificate.ts'
import { Tried } from '../contract.ts'
import { callAll, GoodServer } from '../good-server.ts'
import { DATAGRAMS } from '../layouts/datagrams.ts'
import { UdpRelay } from './udp.ts'

const PATIENCE_MS = 10_000

/** What clients send on connections with calls of each kind, each as an input of datagrams. */
export async function recordDatagrams(certificate: Certificate): Promise<Uint8Array[]> {
  // It need not hear that they have left.
  const server = new GoodServer(await listenQuic({ tls: certificate, closeTimeoutMs: 10 }))
  const recordings: Uint8Array[] = []
  for (const lanes of [true, false]) {
    const sent: Buffer[] = []
    await using relay = await UdpRelay.start(server.address, (datagram, from) => {
      if (from === 'client') sent.push(datagram)
      return [datagram]
    })
    await using connector = connectQuic(relay.address, { tls: { ca: certificate.cert }, maxDatagramSize: 1350, lanes })
    await callAll(createClient(Tried, connector), PATIENCE_MS)
    recordings.push(DATAGRAMS.join(sent))
  }
  await server.close()
  return recordings
}
