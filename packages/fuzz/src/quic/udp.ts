import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

const LOOPBACK = '127.0.0.1'
const BUFFER = 4 * 1024 * 1024

/** A UDP socket on this machine, at any port that is free. */
export async function bindUdp(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: BUFFER,
    // What is sent leaves at once, also when the socket is closed right behind it.
    lookup: (address, _, callback) => callback(null, address, 4),
  })
  // Nobody is there any more: datagrams get lost.
  socket.on('error', () => {})
  // The event comes before `bind` returns.
  const listening = once(socket, 'listening')
  socket.bind(0, LOOPBACK)
  await listening
  return socket
}

export async function closeUdp(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

/** What becomes of a datagram on its way: it may come through as it is, changed, several times, or not at all. */
export type Passing = (datagram: Buffer, from: 'client' | 'server') => readonly Uint8Array[]

/** A UDP port in front of a server. */
export class UdpRelay implements AsyncDisposable {
  readonly address: string
  readonly #front: Socket
  readonly #server: number
  readonly #passing: Passing
  // By the port of the client.
  readonly #backs = new Map<number, Promise<Socket>>()

  private constructor(front: Socket, server: number, passing: Passing) {
    this.#front = front
    this.#server = server
    this.#passing = passing
    this.address = `quic://${LOOPBACK}:${front.address().port}`
    front.on('message', (datagram, { port }) => void this.#toServer(datagram, port))
  }

  static async start(address: string, passing: Passing): Promise<UdpRelay> {
    return new UdpRelay(await bindUdp(), Number(new URL(address).port), passing)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const backs = await Promise.all(this.#backs.values())
    await Promise.all([this.#front, ...backs].map(closeUdp))
  }

  async #toServer(datagram: Buffer, client: number): Promise<void> {
    let back = this.#backs.get(client)
    if (back === undefined) {
      back = bindUdp()
      this.#backs.set(client, back)
      ;(await back).on('message', (answer) => {
        for (const passed of this.#passing(answer, 'server')) this.#front.send(passed, client, LOOPBACK)
      })
    }
    const socket = await back
    for (const passed of this.#passing(datagram, 'client')) socket.send(passed, this.#server, LOOPBACK)
  }
}
