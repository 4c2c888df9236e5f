import { type Client, createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { inFlight, oneByOne } from '../drive.ts'
import type { Contestant, Workload } from '../measure.ts'
import { startServer } from '../server-process.ts'
import { makeCertificate } from './certificate.ts'
import { Bench, LARGE, SMALL } from './contract.ts'
import { RawClient } from './raw-client.ts'

const small = new Uint8Array(SMALL).fill(1)
const large = new Uint8Array(LARGE).fill(1)

type BenchClient = Client<typeof Bench>

interface Clients {
  readonly raw: RawClient
  readonly clear: BenchClient
  readonly tls: BenchClient
}

/** Client and server in two processes each. */
async function clients(): Promise<Clients> {
  const { ca, key, cert } = await makeCertificate()
  const script = new URL('./qrpc-server.js', import.meta.url)
  const [raw, clear, tls] = await Promise.all([
    startServer(new URL('./raw-server.js', import.meta.url)),
    startServer(script),
    startServer(script, { tls: { key, cert } }),
  ])
  return {
    raw: await RawClient.connect(raw),
    clear: createClient(Bench, connectHttp2(clear)),
    tls: createClient(Bench, connectHttp2(tls, { tls: { ca } })),
  }
}

async function workload(
  name: string,
  raw: (client: RawClient, count: number) => Promise<unknown>,
  qrpc: (client: BenchClient, count: number) => Promise<unknown>,
): Promise<Workload> {
  const { raw: rawClient, clear, tls } = await clients()
  const contestants: Contestant[] = [
    { name: 'raw node:http2', run: (count) => raw(rawClient, count) },
    { name: 'qrpc http2', run: (count) => qrpc(clear, count) },
    { name: 'qrpc http2 over TLS', run: (count) => qrpc(tls, count) },
  ]
  return { name, contestants }
}

/** The workloads over HTTP/2. */
export const http2Workloads: Readonly<Record<string, () => Promise<Workload>>> = {
  'http2-unary': () =>
    workload(
      'http2: unary, one after the other',
      (raw, count) => oneByOne(count, () => raw.echo()),
      (client, count) => oneByOne(count, () => client.echo(small)),
    ),
  'http2-unary-64': () =>
    workload(
      'http2: unary, 64 in flight',
      (raw, count) => inFlight(count, 64, () => raw.echo()),
      (client, count) => inFlight(count, 64, () => client.echo(small)),
    ),
  'http2-small': () =>
    workload(
      `http2: server streaming, messages of ${SMALL} bytes`,
      (raw, count) => raw.small(count),
      (client, count) => readAll(client.small(count), count),
    ),
  'http2-download': () =>
    workload(
      'http2: download, messages of 64 KiB',
      (raw, count) => raw.download(count),
      (client, count) => readAll(client.download(count), count),
    ),
  'http2-upload': () =>
    workload(
      'http2: upload, messages of 64 KiB',
      (raw, count) => raw.upload(count),
      async (client, count) => {
        const call = client.upload()
        for (let n = 0; n < count; n++) await call.send(large)
        if ((await call.finish()) !== count * LARGE) throw new Error('bytes were lost')
      },
    ),
  'http2-ping-pong': () =>
    workload(
      `http2: bidi, messages of ${SMALL} bytes, one after the other`,
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
