import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { RpcError } from '@qrpc/core'
import type { HostPort, Quiche } from '../binding.ts'
import { destinationKey, hasLongHeader, keyOf } from '../connection/connection-id.ts'
import type { DatagramSink, QuicConnection } from '../connection/quic-connection.ts'
import { MAX_DATAGRAM_SIZE } from '../options.ts'

const SOCKET_BUFFER_SIZE = 4 * 1024 * 1024

/** Takes datagrams that begin a connection. */
export type AcceptDatagram = (datagram: Buffer, remote: RemoteInfo) => void

/** Where an endpoint is. */
export interface EndpointAddress {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

/** A UDP socket, and the connections whose datagrams come and go through it. */
export class Endpoint implements DatagramSink {
  readonly binding: Quiche
  /** Where datagrams are made: one buffer, as long as the kernel takes them at once. */
  buffer: Uint8Array = Buffer.allocUnsafeSlow(MAX_DATAGRAM_SIZE)
  /** Where connections that peers begin go. */
  accept: AcceptDatagram | undefined = undefined
  readonly #socket: Socket
  readonly #connected: boolean
  readonly #routes = new Map<string, QuicConnection>()
  readonly #connections = new Map<QuicConnection, string[]>()
  #closed = false

  private constructor(binding: Quiche, socket: Socket, connected: boolean) {
    this.binding = binding
    this.#socket = socket
    this.#connected = connected
    socket.on('message', (datagram, remote) => this.#receive(datagram, remote))
    socket.on('error', (error) => this.#onError(error))
  }

  /**
   * Binds a socket.
   *
   * @throws RpcError (as a rejection) `unavailable` when the address is taken or not this machine's.
   */
  static async bind(binding: Quiche, { host, port }: EndpointAddress): Promise<Endpoint> {
    const socket = newSocket(host)
    try {
      // The event comes before `bind` returns.
      const listening = once(socket, 'listening')
      socket.bind(port, host)
      await listening
    } catch (error) {
      socket.close()
      const reason = error instanceof Error ? error.message : String(error)
      throw new RpcError('unavailable', `cannot listen at ${host}:${port}: ${reason}`, { cause: error })
    }
    enlarge(socket)
    return new Endpoint(binding, socket, false)
  }

  /** A socket for one peer: the kernel then tells when nobody is there. */
  static async connect(binding: Quiche, remote: HostPort): Promise<Endpoint> {
    const socket = newSocket(remote.host)
    try {
      const connected = once(socket, 'connect')
      socket.connect(remote.port, remote.host)
      await connected
    } catch (error) {
      socket.close()
      throw error
    }
    enlarge(socket)
    return new Endpoint(binding, socket, true)
  }

  /** The own address, as quiche wants it. */
  get local(): HostPort {
    const { address, port } = this.#socket.address()
    return { host: address, port }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Has datagrams for these connection ids go to the connection. */
  add(connection: QuicConnection, ids: readonly Uint8Array[]): void {
    const keys = ids.map(keyOf)
    for (const key of keys) this.#routes.set(key, connection)
    this.#connections.set(connection, keys)
  }

  remove(connection: QuicConnection): void {
    for (const key of this.#connections.get(connection) ?? []) this.#routes.delete(key)
    this.#connections.delete(connection)
  }

  send(buffer: Uint8Array, size: number, to: HostPort): Uint8Array {
    if (this.#closed) return buffer
    if (this.#connected) this.#socket.send(buffer, 0, size)
    else this.#socket.send(buffer, 0, size, to.port, to.host)
    if (this.#socket.getSendQueueCount() > 0) this.buffer = Buffer.allocUnsafeSlow(MAX_DATAGRAM_SIZE)
    return this.buffer
  }

  /** Closes the socket. The connections must be closed by then. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const error = new RpcError('unavailable', 'the endpoint was closed')
    for (const connection of this.#connections.keys()) connection.end(error)
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #receive(datagram: Buffer, remote: RemoteInfo): void {
    const key = destinationKey(datagram)
    if (key === undefined) return
    const connection = this.#routes.get(key)
    if (connection !== undefined) connection.receive(datagram, remote.address, remote.port)
    else if (hasLongHeader(datagram)) this.accept?.(datagram, remote)
  }

  /** Errors of a socket without a peer of its own are about single datagrams, which QUIC sends again. */
  #onError(cause: Error): void {
    if (!this.#connected) return
    const error = new RpcError('unavailable', `nobody answers: ${cause.message}`, { cause })
    for (const connection of this.#connections.keys()) connection.end(error)
  }
}

function newSocket(host: string): Socket {
  return createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    // Addresses are numbers here: to look them up would cost each datagram a turn.
    lookup: (address, _, callback) => callback(null, address, isIPv6(address) ? 6 : 4),
  })
}

/** A burst that does not fit is lost, and has to be sent again. */
function enlarge(socket: Socket): void {
  socket.setRecvBufferSize(SOCKET_BUFFER_SIZE)
  socket.setSendBufferSize(SOCKET_BUFFER_SIZE)
}
