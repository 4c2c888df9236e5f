import type { ByteStreamReader } from '@qrpc/wire'
import { type HostPort, loadBinding, type Quiche } from '../src/binding.ts'
import { newConnectionId } from '../src/connection/connection-id.ts'
import type { QuicByteStream } from '../src/connection/quic-byte-stream.ts'
import { type DatagramSink, QuicConnection } from '../src/connection/quic-connection.ts'
import { checkQuicOptions } from '../src/options.ts'
import { checkCredentials } from '../src/tls/credentials.ts'
import { createConfig } from '../src/tls/quic-config.ts'
import type { Certificates } from './certificates.ts'

/** What happens to a datagram: in how many ms it arrives, once for each number. */
export type Fate = (side: 'client' | 'server', number: number, size: number) => readonly number[]

const ADDRESS: Record<'client' | 'server', HostPort> = {
  client: { host: '127.0.0.1', port: 1 },
  server: { host: '127.0.0.1', port: 2 },
}

/** Two connections that are pumped into each other, without sockets. */
export class VirtualNetwork {
  readonly client: QuicConnection
  readonly server: QuicConnection
  /** How many datagrams either side has sent. */
  readonly sent = { client: 0, server: 0 }
  /** The streams that the client has opened, at the server. */
  readonly accepted: QuicByteStream[] = []
  /** Resolves once both handshakes are done. */
  readonly established: Promise<unknown>
  /** Resolves with the error that either side was closed with. */
  readonly closed: { client: Promise<Error>; server: Promise<Error> }
  /** What becomes of each stream that the client opens. */
  onStream: (stream: QuicByteStream) => void = () => {}
  fate: Fate
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor(binding: Quiche, certificates: Certificates, fate: Fate, protocols: string[] | undefined) {
    this.fate = fate
    const options = checkQuicOptions({ idleTimeoutMs: 5000 })
    const { ca, server } = certificates
    const common = { maxStreams: 100, datagramSize: 1350, earlyData: false }
    const clientConfig = createConfig(binding, options, {
      ...common,
      credentials: checkCredentials({ ca }),
      verifyPeer: true,
    })
    const serverConfig = createConfig(binding, options, {
      ...common,
      credentials: checkCredentials(server),
      verifyPeer: false,
    })
    if (protocols !== undefined) serverConfig.setApplicationProtos(protocols)
    const id = newConnectionId()
    const dial = binding.Connection.connect('localhost', id, ADDRESS.client, ADDRESS.server, clientConfig)
    const accept = binding.Connection.accept(newConnectionId(), null, ADDRESS.server, ADDRESS.client, serverConfig)
    const observed = () => {
      let established!: () => void
      let closed!: (error: Error) => void
      const promises = {
        established: new Promise<void>((resolve) => {
          established = resolve
        }),
        closed: new Promise<Error>((resolve) => {
          closed = resolve
        }),
      }
      const observer = {
        onEstablished: established,
        onClosed: closed,
        onTurn() {},
        onReset() {},
        onStream: (stream: QuicByteStream) => {
          this.accepted.push(stream)
          this.onStream(stream)
        },
      }
      return { ...promises, observer }
    }
    const atClient = observed()
    const atServer = observed()
    this.client = new QuicConnection(
      binding,
      dial,
      { from: ADDRESS.server, to: ADDRESS.client },
      false,
      this.#sink('client'),
      atClient.observer,
    )
    this.server = new QuicConnection(
      binding,
      accept,
      { from: ADDRESS.client, to: ADDRESS.server },
      true,
      this.#sink('server'),
      atServer.observer,
    )
    this.established = Promise.all([atClient.established, atServer.established])
    this.closed = { client: atClient.closed, server: atServer.closed }
    this.client.flush()
  }

  /** @param protocols What the server speaks, instead of qrpc. */
  static async start(certificates: Certificates, fate: Fate, protocols?: string[]): Promise<VirtualNetwork> {
    return new VirtualNetwork(await loadBinding(), certificates, fate, protocols)
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer)
    const over = new Error('the test is over')
    for (const connection of [this.client, this.server]) connection.end(over as never)
  }

  #sink(side: 'client' | 'server'): DatagramSink {
    const buffer = new Uint8Array(2048)
    return {
      buffer,
      send: (from, size) => {
        const datagram = from.slice(0, size)
        for (const ms of this.fate(side, this.sent[side]++, size)) this.#deliver(side, datagram.slice(), ms)
        return from
      },
    }
  }

  #deliver(side: 'client' | 'server', datagram: Uint8Array, ms: number): void {
    const { host, port } = ADDRESS[side]
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const receiver = side === 'client' ? this.server : this.client
      if (receiver.closed === undefined) receiver.receive(datagram, host, port)
    }, ms)
    this.#timers.add(timer)
  }
}

/** A reader that collects what a stream brings. */
export class Collected implements ByteStreamReader {
  bytes: Uint8Array = new Uint8Array(0)
  /** Resolves with all bytes once the stream has ended. */
  readonly ended: Promise<Uint8Array>
  readonly onEnd: () => void

  constructor(onEnd: () => void = () => {}) {
    let end!: (bytes: Uint8Array) => void
    this.ended = new Promise((resolve) => {
      end = resolve
    })
    this.onEnd = () => {
      end(this.bytes)
      onEnd()
    }
  }

  onBytes(bytes: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, bytes])
  }

  onDrain(): void {}

  onClosed(): void {}
}
