import type { Socket } from 'node:dgram'
import type { Certificate } from '../certificate.ts'
import { RawConnection } from './raw-connection.ts'
import { bindUdp, closeUdp } from './udp.ts'

/** What a hostile server says. */
export interface Answer {
  readonly protocol: string
  /** On each stream, whatever comes. */
  readonly bytes: Uint8Array
  /** Whether it ends the stream behind them. */
  readonly fin: boolean
}

/** A server that goes by QUIC and answers anything on a stream with the same bytes. */
export class HostileServer {
  readonly port: number
  readonly #socket: Socket
  // By the port of the client.
  readonly #connections = new Map<number, RawConnection>()

  private constructor(socket: Socket, tls: Certificate, answer: Answer) {
    this.#socket = socket
    this.port = socket.address().port
    socket.on('message', (datagram, { port }) => {
      let connection = this.#connections.get(port)
      if (connection === undefined) {
        connection = RawConnection.accept(socket, port, [answer.protocol], tls)
        this.#connections.set(port, connection)
        answerOn(connection, answer)
      }
      connection.receive(datagram)
    })
  }

  static async start(tls: Certificate, answer: Answer): Promise<HostileServer> {
    return new HostileServer(await bindUdp(), tls, answer)
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close()
    await closeUdp(this.#socket)
  }
}

function answerOn(connection: RawConnection, { bytes, fin }: Answer): void {
  const answered = new Set<number>()
  connection.onStream = (id) => {
    if (answered.has(id)) return
    answered.add(id)
    connection.write(id, bytes, fin)
  }
}
