import { once } from 'node:events'
import { parseAddress } from '../../network/address.ts'
import { FrameReader, packed, repeated } from '../framing.ts'
import { LARGE, message, type Peer } from '../peer.ts'
import { Pump, type PumpStream, type Source } from './pump.ts'
import { bindSocket, createConfig, newConnectionId, quiche } from './socket.ts'

/** The first byte of a request: what is asked for. */
const ECHO = 0
const DOWNLOAD = 1

function single(bytes: Uint8Array): Source {
  return () => ({ bytes, fin: true })
}

function all(buffers: Iterator<Uint8Array>): Source {
  let next = buffers.next()
  return () => {
    const bytes = next.value as Uint8Array
    next = buffers.next()
    return { bytes, fin: next.done === true }
  }
}

function answer(pump: Pump, stream: PumpStream): void {
  const chunks: Buffer[] = []
  stream.onData = (chunk, fin) => {
    chunks.push(Buffer.from(chunk))
    if (!fin) return
    const request = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    if (request[0] === ECHO) return pump.send(stream, single(request.subarray(1)))
    const count = request.readUInt32BE(1)
    const body = message(request.readUInt32BE(5))
    pump.send(stream, all(body.length === LARGE ? repeated(body, count) : packed(body, count)))
  }
}

/** The binding that qrpc's own driver is on, with a loop around it that does nothing else. */
const peer: Peer = {
  cannot: { upload: 'echo and download only', converse: 'echo and download only' },
  async serve(settings) {
    const config = createConfig(settings, settings.tls)
    const { host } = settings
    const socket = await bindSocket(host)
    const { port } = socket.address()
    const pumps = new Map<number, Pump>()
    socket.on('message', (datagram, remote) => {
      let pump = pumps.get(remote.port)
      if (pump === undefined) {
        const from = { host: remote.address, port: remote.port }
        const connection = quiche.Connection.accept(newConnectionId(), null, { host, port }, from, config)
        const transmit = (buffer: Uint8Array, size: number): void => {
          // What the kernel does not take at once it would read from the buffer later.
          const bytes = socket.getSendQueueCount() === 0 ? buffer : Buffer.from(buffer.subarray(0, size))
          socket.send(bytes, 0, size, from.port, from.host)
        }
        const made: Pump = new Pump(connection, { from, to: { host, port } }, transmit, (stream) =>
          answer(made, stream),
        )
        pump = made
        pumps.set(remote.port, pump)
      }
      pump.receive(datagram)
      // A later client may have the same port.
      if (pump.connection.isDraining()) {
        pump.stop()
        pumps.delete(remote.port)
      }
    })
    return `${host}:${port}`
  },
  async connect(address, settings) {
    const { host, port } = parseAddress(address)
    const socket = await bindSocket('0.0.0.0')
    const connected = once(socket, 'connect')
    socket.connect(port, host)
    await connected
    const own = socket.address()
    const local = { host: own.address, port: own.port }
    const remote = { host, port }
    const config = createConfig(settings)
    const connection = quiche.Connection.connect('localhost', newConnectionId(), local, remote, config)
    const pump = new Pump(connection, { from: remote, to: local }, (buffer, size) => {
      socket.send(socket.getSendQueueCount() === 0 ? buffer : Buffer.from(buffer.subarray(0, size)), 0, size)
    })
    socket.on('message', (datagram) => pump.receive(datagram))
    await new Promise<void>((resolve) => {
      pump.onEstablished = resolve
      pump.start()
    })
    return {
      echo: (body) =>
        new Promise((resolve) => {
          const chunks: Buffer[] = []
          const request = Buffer.allocUnsafe(1 + body.length)
          request[0] = ECHO
          request.set(body, 1)
          pump.open((chunk, fin) => {
            chunks.push(Buffer.from(chunk))
            if (fin) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
          }, single(request))
        }),
      download: (count, size) =>
        new Promise((resolve) => {
          let bytes = 0
          const frames = new FrameReader((body) => {
            bytes += body.length
          })
          const request = Buffer.alloc(9)
          request[0] = DOWNLOAD
          request.writeUInt32BE(count, 1)
          request.writeUInt32BE(size, 5)
          pump.open((chunk, fin) => {
            if (size === LARGE) bytes += chunk.length
            else frames.read(chunk)
            if (fin) resolve(bytes)
          }, single(request))
        }),
      close() {
        pump.close()
        socket.close()
      },
    }
  },
}
export default peer
