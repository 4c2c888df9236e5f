import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { END, message } from '../../wire/test/support/wire-bytes.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  field,
  http2Frame,
  parseFrames,
  SETTINGS,
  SETTINGS_ACK,
} from './http2-bytes.ts'

const PING_ACK = 1
const PROBE = Buffer.from('a probe.')

/** A server on a TCP socket that writes HTTP/2 frames as it is told. It never closes its side of a connection. */
export class RawServer {
  /** What it begins a connection with. */
  opening: Uint8Array = SETTINGS
  /** What it writes when a stream is opened. Default: a good response. */
  answer: ((stream: number) => readonly Uint8Array[]) | undefined = undefined
  /** Whether it answers PINGs. */
  pongs = true
  connections = 0
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #connected!: (socket: Socket) => void
  /** Its first connection. */
  readonly connected: Promise<Socket> = new Promise((resolve) => {
    this.#connected = resolve
  })

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.#serve(socket))
  }

  static async listen(): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new RawServer(server)
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** What a call is answered with that it is to be glad of. */
  readonly good = (stream: number): readonly Uint8Array[] => [
    http2Frame(
      FRAME.headers,
      END_HEADERS,
      stream,
      Buffer.concat([field(':status', '200'), field('content-type', 'application/qrpc+cbor')]),
    ),
    http2Frame(FRAME.data, END_STREAM, stream, Buffer.concat([message('good'), END])),
  ]

  /** Resolves once the client has answered a PING, and so has seen what was sent before it. */
  async ping(socket: Socket): Promise<void> {
    const answered = once(this.#server, 'probed')
    socket.write(http2Frame(FRAME.ping, 0, 0, PROBE))
    await answered
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.setNoDelay(true)
    socket.on('error', () => {})
    this.#connected(socket)
    socket.write(this.opening)
    let received: Buffer = Buffer.alloc(0)
    let prefaced = false
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (!prefaced) {
        if (received.length < 24) return
        prefaced = true
        received = received.subarray(24)
      }
      const { frames, rest } = parseFrames(received)
      received = rest
      for (const { type, flags, stream, payload } of frames) {
        if (type === FRAME.headers) for (const part of (this.answer ?? this.good)(stream)) socket.write(part)
        else if (type === FRAME.settings && flags === 0) socket.write(SETTINGS_ACK)
        else if (type === FRAME.ping && flags === PING_ACK && payload.equals(PROBE)) this.#server.emit('probed')
        else if (type === FRAME.ping && flags === 0 && this.pongs)
          socket.write(http2Frame(FRAME.ping, PING_ACK, 0, payload))
      }
    })
  }
}
