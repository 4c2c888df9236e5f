import type { RemoteInfo } from 'node:dgram'
import { RpcError } from '@qrpc/core'
import { type Counters, LimitError } from '@qrpc/wire'
import type { Config, HostPort, QuicheConnection } from '../binding.ts'
import { CONNECTION_ID_SIZE, newConnectionId } from '../connection/connection-id.ts'
import { QuicConnection, type QuicConnectionObserver } from '../connection/quic-connection.ts'
import { MIN_DATAGRAM_SIZE } from '../options.ts'
import type { Endpoint } from './endpoint.ts'
import { RetryTokens } from './retry-token.ts'

const HANDSHAKE_TIMEOUT = new LimitError('handshakeTimeoutMs', 'unavailable', 'the handshake took too long')

// RFC 9000, section 20.1.
const CONNECTION_REFUSED = 2
const REFUSED = new RpcError('unavailable', 'the server is closing')

const NO_HANDSHAKE = new RpcError('unavailable', 'the first datagram began no handshake')

/** What an acceptor lets in. */
export interface AcceptorSettings {
  /** For the connections that begin from now on. */
  config: Config
  readonly maxConnections: number
  /** Handshakes under way from which on clients must first prove their address. */
  readonly retryAbove: number
  readonly handshakeTimeoutMs: number
  readonly keyLogFile: string | undefined
  readonly counters: Counters
}

/** A new connection, whose handshake goes on: who hears of its events. */
export type OnConnection = (connect: (observer: QuicConnectionObserver) => QuicConnection) => void

const NOBODY: QuicConnectionObserver = {
  onEstablished() {},
  onStream() {},
  onTurn() {},
  onReset() {},
  onClosed() {},
}

/** Begins the connections that peers ask an endpoint for (RFC 9000, sections 6 and 8). */
export class Acceptor {
  readonly #endpoint: Endpoint
  readonly #settings: AcceptorSettings
  readonly #onConnection: OnConnection
  readonly #tokens = new RetryTokens()
  readonly #handshaking = new Set<QuicConnection>()
  #connections = 0
  #closed = false

  constructor(endpoint: Endpoint, settings: AcceptorSettings, onConnection: OnConnection) {
    this.#endpoint = endpoint
    this.#settings = settings
    this.#onConnection = onConnection
  }

  /** Takes no further connections: clients that want one are told so. */
  close(): void {
    this.#closed = true
  }

  /** Takes a datagram for no connection that is known. */
  readonly accept = (datagram: Buffer, remote: RemoteInfo): void => {
    // Smaller ones begin nothing, and an answer to them could be larger than they are.
    if (datagram.length < MIN_DATAGRAM_SIZE) return
    const { binding } = this.#endpoint
    const to: HostPort = { host: remote.address, port: remote.port }
    try {
      const header = binding.Header.fromSlice(datagram, CONNECTION_ID_SIZE)
      if (!binding.versionIsSupported(header.version)) {
        if (header.version !== 0) this.#answer(to, (out) => binding.negotiateVersion(header.scid, header.dcid, out))
        return
      }
      if (header.ty !== binding.Type.Initial) return
      if (this.#connections >= this.#settings.maxConnections) {
        this.#settings.counters.limited('maxConnections')
        return
      }
      this.#begin(datagram, to, header)
    } catch {
      // What is no packet is nobody's.
    }
  }

  #begin(
    datagram: Buffer,
    to: HostPort,
    header: { dcid: Uint8Array; scid: Uint8Array; token?: Uint8Array; version: number },
  ): void {
    const { binding } = this.#endpoint
    const address = `${to.host}:${to.port}`
    if (header.token === undefined || header.token.length === 0) {
      if (this.#handshaking.size < this.#settings.retryAbove) {
        this.#connect(datagram, to, newConnectionId(), null, header.dcid)
        return
      }
      this.#settings.counters.limited('retryAbove')
      const newId = newConnectionId()
      const token = this.#tokens.mint(address, header.dcid, newId)
      this.#answer(to, (out) => binding.retry(header.scid, header.dcid, newId, token, header.version, out))
      return
    }
    const originalId = this.#tokens.check(header.token, address, header.dcid)
    if (originalId !== undefined) this.#connect(datagram, to, header.dcid, originalId, header.dcid)
  }

  #answer(to: HostPort, write: (out: Uint8Array) => number): void {
    const { buffer } = this.#endpoint
    this.#endpoint.send(buffer, write(buffer), to)
  }

  #connect(datagram: Buffer, from: HostPort, id: Uint8Array, originalId: Uint8Array | null, theirs: Uint8Array): void {
    const { binding, local } = this.#endpoint
    const quiche = binding.Connection.accept(id, originalId, local, from, this.#settings.config)
    if (this.#closed) {
      this.#refuse(datagram, from, quiche)
      return
    }
    if (this.#settings.keyLogFile !== undefined) quiche.setKeylog(this.#settings.keyLogFile)
    this.#onConnection((observer) => {
      const counted = this.#counted(observer)
      const connection = new QuicConnection(
        binding,
        quiche,
        { from, to: local },
        true,
        this.#endpoint,
        counted.observer,
      )
      connection.addressProven = originalId !== null
      counted.count(connection)
      this.#endpoint.add(connection, [id, theirs])
      // Broken copies of a client's first datagram must not take the place of the true one.
      if (!connection.receive(datagram, from.host, from.port)) queueMicrotask(() => connection.end(NO_HANDSHAKE))
      return connection
    })
  }

  /** What a client would wait for in vain can be told it at once. */
  #refuse(datagram: Buffer, from: HostPort, quiche: QuicheConnection): void {
    const { binding, local } = this.#endpoint
    const connection = new QuicConnection(binding, quiche, { from, to: local }, true, this.#endpoint, NOBODY)
    if (connection.receive(datagram, from.host, from.port)) {
      quiche.close(false, CONNECTION_REFUSED, new Uint8Array(0))
      connection.flush()
    }
    connection.end(REFUSED)
  }

  /** An observer that also keeps the books here. */
  #counted(observer: QuicConnectionObserver) {
    let connection: QuicConnection | undefined
    let timer: NodeJS.Timeout | undefined
    const handshaken = (): void => {
      clearTimeout(timer)
      if (connection !== undefined) this.#handshaking.delete(connection)
    }
    return {
      count: (made: QuicConnection): void => {
        connection = made
        this.#connections++
        this.#handshaking.add(made)
        timer = setTimeout(() => made.close(0, HANDSHAKE_TIMEOUT), this.#settings.handshakeTimeoutMs).unref()
      },
      observer: {
        onEstablished: () => {
          handshaken()
          observer.onEstablished()
        },
        onStream: (stream) => observer.onStream(stream),
        onTurn: () => observer.onTurn(),
        onReset: () => observer.onReset(),
        onClosed: (error) => {
          handshaken()
          if (connection !== undefined) {
            this.#connections--
            this.#endpoint.remove(connection)
          }
          observer.onClosed(error)
        },
      } satisfies QuicConnectionObserver,
    }
  }
}
