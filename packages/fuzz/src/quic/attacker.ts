import type { Socket } from 'node:dgram'
import { RawConnection } from './raw-connection.ts'
import { bindUdp, closeUdp } from './udp.ts'

const STREAMS_A_CONNECTION = 400
const TRIES = 5

/** A client that takes a new connection where the server has ended the one before, or it has had many streams. */
export class Attacker {
  readonly #socket: Socket
  readonly #port: number
  readonly #protocols: readonly string[]
  #current: Promise<RawConnection> | undefined = undefined
  #opened = 0

  private constructor(socket: Socket, port: number, protocols: readonly string[]) {
    this.#socket = socket
    this.#port = port
    this.#protocols = protocols
  }

  static async start(port: number, protocols: readonly string[]): Promise<Attacker> {
    return new Attacker(await bindUdp(), port, protocols)
  }

  /** A connection and the id of a stream on it that has not been used. @throws Error where the server takes none. */
  async open(): Promise<{ connection: RawConnection; id: number }> {
    for (let left = TRIES; left > 0; left--) {
      const awaited = this.#current
      const connection = await awaited
      if (connection?.over === false && this.#opened < STREAMS_A_CONNECTION)
        return { connection, id: 4 * this.#opened++ }
      // Others may have found the same.
      if (this.#current === awaited) this.#current = this.#connect(connection)
    }
    throw new Error('a server takes no connection')
  }

  async close(): Promise<void> {
    ;(await this.#current)?.close()
    await closeUdp(this.#socket)
  }

  async #connect(former: RawConnection | undefined): Promise<RawConnection> {
    former?.close()
    this.#socket.removeAllListeners('message')
    this.#opened = 0
    const connection = RawConnection.connect(this.#socket, this.#port, this.#protocols)
    this.#socket.on('message', (datagram) => connection.receive(datagram))
    await connection.ready()
    return connection
  }
}
