import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { message, type Peer } from './peer.ts'
import { GrpcBench, type Message, type Order, OWN_CONNECTION, type Total } from './proto.ts'

interface Bench extends Client {
  echo(request: Message, done: (error: Error | null, response: Message) => void): void
  download(order: Order): ClientReadableStream<Message>
  upload(done: (error: Error | null, total: Total) => void): ClientWritableStream<Message>
  exchange(): ClientDuplexStream<Message, Message>
}

const handlers = {
  echo: (call: { request: Message }, done: sendUnaryData<Message>) => done(null, call.request),
  async download(call: ServerWritableStream<Order, Message>) {
    const body = message(call.request.size)
    for (let n = 0; n < call.request.count; n++) if (!call.write({ body })) await once(call, 'drain')
    call.end()
  },
  upload(call: ServerReadableStream<Message, Total>, done: sendUnaryData<Total>) {
    let bytes = 0
    call.on('data', ({ body }: Message) => {
      bytes += body.length
    })
    call.on('end', () => done(null, { bytes }))
  },
  exchange(call: ServerDuplexStream<Message, Message>) {
    const stream = call as unknown as Duplex
    stream.pipe(stream)
  },
}

const peer: Peer = {
  async serve({ host }) {
    const server = new Server()
    server.addService(GrpcBench.service, handlers)
    const port = await new Promise<number>((resolve, reject) => {
      const done = (error: Error | null, bound: number): void => (error ? reject(error) : resolve(bound))
      server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), done)
    })
    return `${host}:${port}`
  },
  async connect(address) {
    const client = new GrpcBench(address, credentials.createInsecure(), OWN_CONNECTION) as unknown as Bench
    return {
      echo: (body) =>
        new Promise((resolve, reject) => {
          client.echo({ body }, (error, response) => (error ? reject(error) : resolve(response.body)))
        }),
      async download(count, size) {
        let bytes = 0
        for await (const { body } of client.download({ count, size })) bytes += (body as Uint8Array).length
        return bytes
      },
      async upload(count, body) {
        const { call, total } = startUpload(client)
        for (let n = 0; n < count; n++) if (!call.write({ body })) await once(call, 'drain')
        call.end()
        return (await total).bytes
      },
      converse() {
        const call = client.exchange()
        const responses = call[Symbol.asyncIterator]() as AsyncIterator<Message>
        return {
          send: (body) => (call.write({ body }) ? undefined : once(call, 'drain')),
          receive: async () => ((await responses.next()) as IteratorYieldResult<Message>).value?.body,
          end: () => call.end(),
        }
      },
      close: () => client.close(),
    }
  },
}
export default peer

function startUpload(client: Bench): { call: ClientWritableStream<Message>; total: Promise<Total> } {
  let call: ClientWritableStream<Message> | undefined
  const total = new Promise<Total>((resolve, reject) => {
    call = client.upload((error, response) => (error ? reject(error) : resolve(response)))
  })
  return { call: call as unknown as ClientWritableStream<Message>, total }
}
