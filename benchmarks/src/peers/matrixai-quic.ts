import { createHmac, randomFillSync, timingSafeEqual } from 'node:crypto'
import { events, QUICClient, QUICServer, type QUICStream } from '@matrixai/quic'
import { parseAddress } from '../network/address.ts'
import { MAX_STREAMS, message, type Peer } from './peer.ts'

const KEY = Buffer.alloc(32, 1)
const sign = async (key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> => {
  const { buffer, byteOffset, length } = Uint8Array.from(
    createHmac('sha256', Buffer.from(key)).update(Buffer.from(data)).digest(),
  )
  return buffer.slice(byteOffset, byteOffset + length)
}
const serverCrypto = {
  key: KEY.buffer.slice(KEY.byteOffset, KEY.byteOffset + KEY.length),
  ops: {
    sign,
    verify: async (key: ArrayBuffer, data: ArrayBuffer, signature: ArrayBuffer) =>
      timingSafeEqual(Buffer.from(await sign(key, data)), Buffer.from(signature)),
  },
}
const clientCrypto = {
  ops: {
    randomBytes: async (data: ArrayBuffer) => {
      randomFillSync(new Uint8Array(data))
    },
  },
}

/** The first byte of a request: what is asked for. */
const ECHO = 0
const DOWNLOAD = 1
const NOT_HERE = 'echo and download only'

async function answer({ readable, writable }: QUICStream): Promise<void> {
  const request = await readAll(readable)
  const writer = writable.getWriter()
  if (request[0] === ECHO) {
    await writer.write(request.subarray(1))
  } else {
    const body = message(request.readUInt32BE(5))
    for (let n = request.readUInt32BE(1); n > 0; n--) await writer.write(body)
  }
  await writer.close()
}

async function readAll(readable: QUICStream['readable']): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function request({ readable, writable }: QUICStream, bytes: Uint8Array): Promise<QUICStream['readable']> {
  const writer = writable.getWriter()
  await writer.write(bytes)
  await writer.close()
  return readable
}

/** Its own `QUICClient` and `QUICServer`. */
const peer: Peer = {
  cannot: { upload: NOT_HERE, converse: NOT_HERE },
  async serve({ host, tls: { key, cert } }) {
    const config = { key, cert, verifyPeer: false, initialMaxStreamsBidi: MAX_STREAMS }
    const server = new QUICServer({ crypto: serverCrypto, config })
    server.addEventListener(events.EventQUICServerConnection.name, (event: Event) => {
      const connection = (event as events.EventQUICServerConnection).detail
      connection.addEventListener(events.EventQUICConnectionStream.name, (opened: Event) => {
        answer((opened as events.EventQUICConnectionStream).detail).catch(() => {})
      })
    })
    await server.start({ host })
    return `${host}:${server.port}`
  },
  async connect(address) {
    const client = await QUICClient.createQUICClient({
      ...parseAddress(address),
      localHost: '0.0.0.0',
      crypto: clientCrypto,
      config: { verifyPeer: false, initialMaxStreamsBidi: MAX_STREAMS },
    })
    return {
      async echo(body) {
        const stream = client.connection.newStream()
        return readAll(await request(stream, Buffer.concat([Uint8Array.of(ECHO), body])))
      },
      async download(count, size) {
        const order = Buffer.alloc(9)
        order[0] = DOWNLOAD
        order.writeUInt32BE(count, 1)
        order.writeUInt32BE(size, 5)
        let bytes = 0
        for await (const chunk of await request(client.connection.newStream(), order)) bytes += chunk.length
        return bytes
      },
      close: () => client.destroy({ force: true }),
    }
  },
}
export default peer
