import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { createClient, type ServiceImpl } from '@connectrpc/connect'
import { connectNodeAdapter, createConnectTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { Bench, type MessageSchema, TotalSchema } from './generated/bench_pb.ts'
import { HandFed } from './hand-fed.ts'
import { message, type Peer } from './peer.ts'

type Message = MessageInitShape<typeof MessageSchema>

const handlers: ServiceImpl<typeof Bench> = {
  echo: (request) => request,
  async *download({ count, size }) {
    const body = message(size)
    for (let n = 0; n < count; n++) yield { body }
  },
  async upload(updates) {
    let bytes = 0
    for await (const { body } of updates) bytes += body.length
    return create(TotalSchema, { bytes: BigInt(bytes) })
  },
  async *exchange(updates) {
    yield* updates
  },
}

/** Connect's own protocol, over HTTP/2. */
const peer: Peer = {
  async serve({ host }) {
    const server = createServer(connectNodeAdapter({ routes: (router) => router.service(Bench, handlers) }))
    server.listen(0, host)
    await once(server, 'listening')
    return `http://${host}:${(server.address() as AddressInfo).port}`
  },
  async connect(baseUrl) {
    const sessionManager = new Http2SessionManager(baseUrl)
    const client = createClient(Bench, createConnectTransport({ baseUrl, httpVersion: '2', sessionManager }))
    return {
      echo: async (body) => (await client.echo({ body })).body,
      async download(count, size) {
        let bytes = 0
        for await (const { body } of client.download({ count, size })) bytes += body.length
        return bytes
      },
      async upload(count, body) {
        return Number((await client.upload(repeat(body, count))).bytes)
      },
      converse() {
        const updates = new HandFed<Message>()
        const responses = client.exchange(updates)[Symbol.asyncIterator]()
        return {
          send: (body) => updates.push({ body }),
          receive: async () => (await responses.next()).value?.body as Uint8Array | undefined,
          end: () => updates.end(),
        }
      },
      close: () => sessionManager.abort(),
    }
  },
}
export default peer

async function* repeat(body: Uint8Array, count: number): AsyncGenerator<Message> {
  for (let n = 0; n < count; n++) yield { body }
}
