import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { concat } from '../engine/layout.ts'

/** A TCP port in front of a server, or in its place. */
export class Front implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(onConnection: (socket: Socket, number: number) => void) {
    let number = 0
    this.#server = createServer((socket) => {
      this.adopt(socket)
      onConnection(socket, number++)
    })
  }

  static async listen(onConnection: (socket: Socket, number: number, front: Front) => void): Promise<Front> {
    const front: Front = new Front((socket, number) => onConnection(socket, number, front))
    front.#server.listen(0, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Passes on what comes to the server at the address, and back. */
  pass(socket: Socket, address: string): void {
    const behind = connect(Number(new URL(address).port), '127.0.0.1')
    this.adopt(behind)
    socket.pipe(behind)
    behind.pipe(socket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Closes the socket with all others. */
  adopt(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** What both sides of a connection have sent. */
export interface Recording {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

/** Records the first connection to the server at the address that is used meanwhile. */
export async function record(address: string, use: (address: string) => Promise<void>): Promise<Recording> {
  const chunks = { client: [] as Buffer[], server: [] as Buffer[] }
  await using front = await Front.listen((socket, number, self) => {
    const behind = connect(Number(new URL(address).port), '127.0.0.1')
    self.adopt(behind)
    socket.on('data', (chunk) => {
      if (number === 0) chunks.client.push(chunk)
      behind.write(chunk)
    })
    behind.on('data', (chunk) => {
      if (number === 0) chunks.server.push(chunk)
      socket.write(chunk)
    })
    socket.on('end', () => behind.end())
  })
  await use(front.address)
  return { client: concat(chunks.client), server: concat(chunks.server) }
}
