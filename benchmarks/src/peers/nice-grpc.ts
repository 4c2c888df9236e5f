import { createChannel, createClient, createServer, type MethodDefinition, type ServiceImplementation } from 'nice-grpc'
import { HandFed } from './hand-fed.ts'
import { message, type Peer } from './peer.ts'
import { GrpcBench, type Message, type Order, OWN_CONNECTION, type Total } from './proto.ts'

type Method<Request, Response, RequestStream extends boolean, ResponseStream extends boolean> = MethodDefinition<
  Request,
  Request,
  Response,
  Response,
  RequestStream,
  ResponseStream
>

// Generated code would say so; grpc-js's loader gives no types.
type Service = {
  Echo: Method<Message, Message, false, false>
  Download: Method<Order, Message, false, true>
  Upload: Method<Message, Total, true, false>
  Exchange: Method<Message, Message, true, true>
}
const service = GrpcBench.service as unknown as Service

const implementation: ServiceImplementation<Service> = {
  Echo: async (request) => request,
  async *Download({ count, size }) {
    const body = message(size)
    for (let n = 0; n < count; n++) yield { body }
  },
  async Upload(updates) {
    let bytes = 0
    for await (const { body } of updates) bytes += body.length
    return { bytes }
  },
  Exchange: (updates) => updates,
}

const peer: Peer = {
  async serve({ host }) {
    const server = createServer()
    server.add(service, implementation)
    return `${host}:${await server.listen(`${host}:0`)}`
  },
  async connect(address) {
    const channel = createChannel(address, undefined, OWN_CONNECTION)
    const client = createClient(service, channel)
    return {
      echo: async (body) => (await client.Echo({ body })).body,
      async download(count, size) {
        let bytes = 0
        for await (const { body } of client.Download({ count, size })) bytes += body.length
        return bytes
      },
      upload: async (count, body) => (await client.Upload(repeat(body, count))).bytes,
      converse() {
        const updates = new HandFed<Message>()
        const responses = client.Exchange(updates)[Symbol.asyncIterator]()
        return {
          send: (body) => updates.push({ body }),
          receive: async () => ((await responses.next()) as IteratorYieldResult<Message>).value?.body,
          end: () => updates.end(),
        }
      },
      close: () => channel.close(),
    }
  },
}
export default peer

async function* repeat(body: Uint8Array, count: number): AsyncGenerator<Message> {
  for (let n = 0; n < count; n++) yield { body }
}
