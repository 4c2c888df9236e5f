import { type Client, createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { connectQuic } from '@qrpc/transport-quic'
import { inFlight, oneByOne } from '../drive.ts'
import { RawClient } from '../http2/raw-client.ts'
import type { Contestant, Workload } from '../measure.ts'
import { makeCertificate } from '../network/certificate.ts'
import { Bench, LARGE, SMALL } from '../network/contract.ts'
import { startServer } from '../server-process.ts'

const small = new Uint8Array(SMALL).fill(1)
const large = new Uint8Array(LARGE).fill(1)

type BenchClient = Client<typeof Bench>

interface Clients {
  readonly raw: RawClient
  readonly clear: BenchClient
  readonly tls: BenchClient
  readonly quic: BenchClient
}

/** Client and server in two processes each. */
async function clients(): Promise<Clients> {
  const { ca, key, cert } = await makeCertificate()
  const script = new URL('../network/qrpc-server.js', import.meta.url)
  const [raw, clear, tls, quic] = await Promise.all([
    startServer(new URL('../http2/raw-server.js', import.meta.url)),
    startServer(script),
    startServer(script, { tls: { key, cert } }),
    startServer(script, { transport: 'quic', tls: { key, cert } }),
  ])
  return {
    raw: await RawClient.connect(raw),
    clear: createClient(Bench, connectHttp2(clear)),
    tls: createClient(Bench, connectHttp2(tls, { tls: { ca } })),
    quic: createClient(Bench, connectQuic(quic, { tls: { ca } })),
  }
}

async function workload(
  name: string,
  raw: (client: RawClient, count: number) => Promise<unknown>,
  qrpc: (client: BenchClient, count: number) => Promise<unknown>,
): Promise<Workload> {
  const { raw: rawClient, clear, tls, quic } = await clients()
  const contestants: Contestant[] = [
    { name: 'raw node:http2', run: (count) => raw(rawClient, count) },
    { name: 'qrpc http2', run: (count) => qrpc(clear, count) },
    { name: 'qrpc http2 over TLS', run: (count) => qrpc(tls, count) },
    { name: 'qrpc quic', run: (count) => qrpc(quic, count) },
  ]
  return { name, contestants }
}

/** The workloads over a network, beside what one would write on `node:http2` by hand. */
export const networkWorkloads: Readonly<Record<string, () => Promise<Workload>>> = {
  'network-unary': () =>
    workload(
      'network: unary, one after the other',
      (raw, count) => oneByOne(count, () => raw.echo()),
      (client, count) => oneByOne(count, () => client.echo(small)),
    ),
  'network-unary-64': () =>
    workload(
      'network: unary, 64 in flight',
      (raw, count) => inFlight(count, 64, () => raw.echo()),
      (client, count) => inFlight(count, 64, () => client.echo(small)),
    ),
  'network-small': () =>
    workload(
      `network: server streaming, messages of ${SMALL} bytes`,
      (raw, count) => raw.small(count),
      (client, count) => readAll(client.small(count), count),
    ),
  'network-download': () =>
    workload(
      'network: download, messages of 64 KiB',
      (raw, count) => raw.download(count),
      (client, count) => readAll(client.download(count), count),
    ),
  'network-upload': () =>
    workload(
      'network: upload, messages of 64 KiB',
      (raw, count) => raw.upload(count),
      async (client, count) => {
        const call = client.upload()
        for (let n = 0; n < count; n++) await call.send(large)
        if ((await call.finish()) !== count * LARGE) throw new Error('bytes were lost')
      },
    ),
  'network-ping-pong': () =>
    workload(
      `network: bidi, messages of ${SMALL} bytes, one after the other`,
      (raw, count) => raw.pingPong(count),
      async (client, count) => {
        const call = client.pingPong()
        for (let n = 0; n < count; n++) {
          await call.send(small)
          await call.receive()
        }
        call.end()
        await call.receive()
      },
    ),
}

async function readAll(
  call: { receive(): Uint8Array | undefined | Promise<Uint8Array | undefined> },
  count: number,
): Promise<void> {
  let got = 0
  for (;;) {
    const next = call.receive()
    const message = next instanceof Promise ? await next : next
    if (message === undefined) break
    got++
  }
  if (got !== count) throw new Error(`${got} messages instead of ${count}`)
}
