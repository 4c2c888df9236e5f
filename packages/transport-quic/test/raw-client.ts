import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { Received } from '../../wire/test/support/wire-bytes.ts'
import { loadBinding, type Quiche, type QuicheConnection, type RecvInfo } from '../src/binding.ts'
import { newConnectionId } from '../src/connection/connection-id.ts'
import { checkQuicOptions, type QuicOptions } from '../src/options.ts'
import { checkCredentials } from '../src/tls/credentials.ts'
import { createConfig } from '../src/tls/quic-config.ts'

const DATAGRAM_SIZE = 1350

/** How a raw client connects. */
export interface RawClientOptions extends QuicOptions {
  /** Where its keys are written, for those who make packets by hand. */
  readonly keyLogFile?: string
  /** Sees what arrives before quiche does, and may keep it. */
  readonly filter?: (datagram: Buffer) => boolean
}

/** A QUIC client that may do on its streams as it likes. */
export class RawClient implements AsyncDisposable {
  readonly binding: Quiche
  readonly quiche: QuicheConnection
  /** The server has closed the connection, or no longer answers: why. */
  readonly closed: Promise<string>
  /** Whether it sends nothing more. */
  mute = false
  readonly #streams = new Set<RawStream>()
  readonly #socket: Socket
  readonly #info: RecvInfo
  readonly #buffer = Buffer.alloc(DATAGRAM_SIZE)
  #onEstablished: () => void = () => {}
  #onClosed: (why: string) => void = () => {}
  #timer: NodeJS.Timeout | undefined = undefined
  #scheduled = false
  #over = false
  #nextId = 0

  private constructor(
    binding: Quiche,
    socket: Socket,
    ca: string,
    { filter = () => true, ...options }: RawClientOptions,
  ) {
    this.binding = binding
    this.#socket = socket
    const { address, port } = socket.address()
    const remote = socket.remoteAddress()
    const local = { host: address, port }
    this.#info = { from: { host: remote.address, port: remote.port }, to: local }
    const config = createConfig(binding, checkQuicOptions(options), {
      credentials: checkCredentials({ ca }),
      verifyPeer: true,
      maxStreams: 0,
      datagramSize: DATAGRAM_SIZE,
      earlyData: false,
    })
    this.quiche = binding.Connection.connect('localhost', newConnectionId(), local, this.#info.from, config)
    if (options.keyLogFile !== undefined) this.quiche.setKeylog(options.keyLogFile)
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    socket.on('error', () => {})
    socket.on('message', (datagram) => {
      if (!filter(datagram)) return
      try {
        this.quiche.recv(datagram, this.#info)
      } catch {
        // It shows in the state.
      }
      this.schedule()
    })
  }

  /** A client whose handshake is done. */
  static async connect(address: string, ca: string, options: RawClientOptions = {}): Promise<RawClient> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
    const connected = once(socket, 'connect')
    const { hostname, port } = new URL(address)
    socket.connect(Number(port), hostname)
    await connected
    const client = new RawClient(await loadBinding(), socket, ca, options)
    await new Promise<void>((resolve) => {
      client.#onEstablished = resolve
      client.schedule()
    })
    return client
  }

  open(): RawStream {
    const stream = new RawStream(this, this.#nextId)
    this.#nextId += 4
    this.#streams.add(stream)
    return stream
  }

  /** Sends what is no datagram of quiche's. */
  send(datagram: Uint8Array): void {
    this.#socket.send(datagram)
  }

  readonly schedule = (): void => {
    if (this.#scheduled || this.#over) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    clearTimeout(this.#timer)
    try {
      this.quiche.close(true, 0, new Uint8Array(0))
    } catch {
      // The server was first.
    }
    if (!this.mute) this.#flush()
    const gone = once(this.#socket, 'close')
    this.#socket.close()
    await gone
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.#over) return
    const { quiche } = this
    if (quiche.isEstablished()) this.#onEstablished()
    for (const stream of this.#streams) if (!stream.turn()) this.#streams.delete(stream)
    if (!this.mute) this.#flush()
    if (quiche.isDraining() || quiche.isClosed() || quiche.isTimedOut()) this.#tellClosed()
    clearTimeout(this.#timer)
    const timeout = quiche.timeout()
    if (timeout === null) return
    this.#timer = setTimeout(() => {
      quiche.onTimeout()
      this.schedule()
    }, timeout)
  }

  #tellClosed(): void {
    const error = this.quiche.peerError()
    if (error === null) this.#onClosed(this.quiche.isTimedOut() ? 'timed out' : 'lost')
    else this.#onClosed(`${error.isApp ? 'application' : 'transport'} error ${error.errorCode}`)
    for (const stream of this.#streams) stream.lost()
  }

  #flush(): void {
    for (let sent = this.quiche.send(this.#buffer); sent !== null; sent = this.quiche.send(this.#buffer)) {
      this.#socket.send(Buffer.from(this.#buffer.subarray(0, sent[0])))
    }
  }
}

/** A stream of a raw client: what is written to it, and what comes back. */
export class RawStream extends Received {
  readonly id: number
  /** Whether what comes is read. */
  reading = true
  /** The server has ended its direction or reset the stream, or the connection is gone. */
  readonly answered: Promise<void>
  /** The server has ended both directions: by FIN, or with the error code of its reset. */
  readonly closed: Promise<number>
  readonly #client: RawClient
  #queue = Buffer.alloc(0)
  #fin = false
  #sent = false
  #received = false
  #code = 0
  #onAnswered!: () => void
  #onClosed!: (code: number) => void
  #onMessage: (() => void)[] = []

  constructor(client: RawClient, id: number) {
    super()
    this.#client = client
    this.id = id
    this.answered = new Promise((resolve) => {
      this.#onAnswered = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
  }

  write(...parts: Uint8Array[]): this {
    this.#queue = Buffer.concat([this.#queue, ...parts])
    this.#client.schedule()
    return this
  }

  end(): this {
    this.#fin = true
    this.#client.schedule()
    return this
  }

  /** RESET_STREAM and STOP_SENDING, or one of them. */
  abort(code: number, which: 'both' | 'reset' | 'stop' = 'both'): void {
    const { quiche, binding } = this.#client
    this.#pump()
    if (which !== 'reset') quiche.streamShutdown(this.id, binding.Shutdown.Read, code)
    if (which !== 'stop') quiche.streamShutdown(this.id, binding.Shutdown.Write, code)
    this.#client.schedule()
  }

  resume(): void {
    this.reading = true
    this.#client.schedule()
  }

  /** Resolves with the first message that comes from now on. */
  async next(): Promise<unknown> {
    const { length } = this.messages
    while (this.messages.length === length) {
      await new Promise<void>((resolve) => {
        this.#onMessage.push(resolve)
      })
    }
    return this.messages.at(-1)
  }

  /** Does what can be done now. @returns Whether there will be more. */
  turn(): boolean {
    this.#pump()
    if (this.reading && !this.#received) this.#read()
    if (!this.#sent || !this.#received) return true
    this.#onClosed(this.#code)
    return false
  }

  lost(): void {
    this.#onAnswered()
    this.#onClosed(-1)
  }

  #pump(): void {
    if (this.#sent || (this.#queue.length === 0 && !this.#fin)) {
      if (!this.#sent) this.#checkStopped()
      return
    }
    try {
      const taken = this.#client.quiche.streamSend(this.id, this.#queue, this.#fin)
      if (taken === null) return
      this.#sent = this.#fin && taken === this.#queue.length
      this.#queue = this.#queue.subarray(taken)
    } catch (error) {
      this.#stopped(error)
    }
  }

  #checkStopped(): void {
    try {
      this.#client.quiche.streamWritable(this.id, 1)
    } catch (error) {
      if (String(error).includes('StreamStopped')) this.#stopped(error)
    }
  }

  #stopped(error: unknown): void {
    this.#code = codeIn(error)
    this.#sent = true
  }

  #read(): void {
    const { quiche } = this.#client
    const buffer = Buffer.alloc(64 * 1024)
    try {
      while (quiche.streamReadable(this.id)) {
        const received = quiche.streamRecv(this.id, buffer)
        if (received === null) return
        this.push(Buffer.from(buffer.subarray(0, received[0])))
        if (received[1]) this.#received = true
        for (const resolve of this.#onMessage.splice(0)) resolve()
      }
    } catch (error) {
      this.#code = codeIn(error)
      this.#received = true
    }
    if (this.#received) this.#onAnswered()
  }
}

/** The error code in an error such as `StreamReset(8)`. */
function codeIn(error: unknown): number {
  return Number(/\((\d+)\)/.exec(String(error))?.[1] ?? -1)
}
