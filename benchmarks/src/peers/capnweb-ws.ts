import { ReadableStream } from 'node:stream/web'
import { newWebSocketRpcSession, RpcTarget } from 'capnweb'
import { WebSocket } from 'ws'
import { repeated } from './framing.ts'
import { HandFed } from './hand-fed.ts'
import { message, type Peer } from './peer.ts'
import { listenWebSocket, openWebSocket } from './websocket.ts'

// It looks at the global one, which Node.js has from version 22.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket

class Bench extends RpcTarget {
  echo(request: Uint8Array): Uint8Array {
    return request
  }

  download(count: number, size: number): ReadableStream<Uint8Array> {
    return streamOf(repeated(message(size), count))
  }

  async upload(updates: ReadableStream<Uint8Array>): Promise<number> {
    let bytes = 0
    for await (const update of updates) bytes += update.length
    return bytes
  }

  converse(updates: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    return streamOf(updates.values())
  }
}

/** What a stub of it looks like to a client. */
interface Remote {
  echo(request: Uint8Array): Promise<Uint8Array>
  download(count: number, size: number): Promise<ReadableStream<Uint8Array>>
  upload(updates: ReadableStream<Uint8Array>): Promise<number>
  converse(updates: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>>
}

// It takes a stream of this class itself only, which those of a TransformStream are not.
function streamOf(items: AsyncIterator<Uint8Array> | Iterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await items.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}

const peer: Peer = {
  async serve({ host }) {
    const { server, address } = await listenWebSocket(host)
    server.on('connection', (socket) => newWebSocketRpcSession(socket as unknown as globalThis.WebSocket, new Bench()))
    return address
  },
  async connect(address) {
    const socket = await openWebSocket(address)
    const remote = newWebSocketRpcSession(socket as unknown as globalThis.WebSocket) as unknown as Remote
    return {
      echo: (request) => remote.echo(request),
      async download(count, size) {
        let bytes = 0
        for await (const body of await remote.download(count, size)) bytes += body.length
        return bytes
      },
      upload: (count, update) => remote.upload(streamOf(repeated(update, count))),
      converse() {
        const updates = new HandFed<Uint8Array>()
        const responses = remote
          .converse(streamOf(updates[Symbol.asyncIterator]()))
          .then((stream) => stream.getReader())
        return {
          send: (update) => updates.push(update),
          receive: async () => (await (await responses).read()).value,
          end: () => updates.end(),
        }
      },
      close: () => socket.close(),
    }
  },
}
export default peer
