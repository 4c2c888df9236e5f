import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { quiche } from '@matrixai/quic/native/index.js'
import type { Config, Connection, RecvInfo } from '@matrixai/quic/native/types.js'

const ID_SIZE = 20
const DATAGRAM_SIZE = 1350
const WINDOW = 1024 * 1024
const STREAMS = 100
const IDLE_MS = 2000
const READY_MS = 5000

/** A connection of QUIC whose streams carry any bytes. It goes by the rules of QUIC, and by those of nobody else. */
export class RawConnection {
  /** Whom it tells of bytes on a stream. */
  onStream: (id: number) => void = () => {}
  readonly #quiche: Connection
  readonly #socket: Socket
  readonly #info: RecvInfo
  readonly #buffer = Buffer.alloc(DATAGRAM_SIZE)
  readonly #unsent = new Map<number, { bytes: Buffer; fin: boolean }>()
  #waiting: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined = undefined
  #scheduled = false
  #over = false

  private constructor(connection: Connection, socket: Socket, info: RecvInfo) {
    this.#quiche = connection
    this.#socket = socket
    this.#info = info
  }

  static connect(socket: Socket, port: number, protocols: readonly string[]): RawConnection {
    const info = infoOf(socket, port)
    const config = configured(quiche.Config.withBoringSslCtx(false, false, null, null, null, null), protocols)
    const connection = new RawConnection(
      quiche.Connection.connect('localhost', newId(), info.to, info.from, config),
      socket,
      info,
    )
    connection.#schedule()
    return connection
  }

  static accept(
    socket: Socket,
    port: number,
    protocols: readonly string[],
    { key, cert }: { readonly key: string; readonly cert: string },
  ): RawConnection {
    const info = infoOf(socket, port)
    const tls = quiche.Config.withBoringSslCtx(false, false, null, [Buffer.from(key)], [Buffer.from(cert)], null)
    return new RawConnection(
      quiche.Connection.accept(newId(), null, info.to, info.from, configured(tls, protocols)),
      socket,
      info,
    )
  }

  get established(): boolean {
    return this.#quiche.isEstablished()
  }

  /** Whether nothing can be said on it any more. */
  get over(): boolean {
    return this.#over || this.#quiche.isDraining() || this.#quiche.isClosed()
  }

  receive(datagram: Buffer): void {
    if (this.#over) return
    try {
      this.#quiche.recv(datagram, this.#info)
    } catch {
      // It shows in the state.
    }
    this.#schedule()
  }

  /** Resolves once it is established, or over, as it is when that takes too long. */
  async ready(): Promise<void> {
    const timer = setTimeout(() => this.close(), READY_MS)
    while (!this.established && !this.over) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    clearTimeout(timer)
  }

  write(id: number, bytes: Uint8Array, fin: boolean): void {
    const before = this.#unsent.get(id)
    this.#unsent.set(id, { bytes: Buffer.concat([before?.bytes ?? Buffer.alloc(0), bytes]), fin })
    this.#schedule()
  }

  /** RESET_STREAM and STOP_SENDING, or one of them. */
  abort(id: number, code: number, which: 'both' | 'reset' | 'stop'): void {
    this.#unsent.delete(id)
    for (const direction of which === 'both' ? (['reset', 'stop'] as const) : [which]) {
      try {
        this.#quiche.streamShutdown(id, direction === 'stop' ? quiche.Shutdown.Read : quiche.Shutdown.Write, code)
      } catch {
        // It is over already.
      }
    }
    this.#schedule()
  }

  close(): void {
    if (this.#over) return
    try {
      this.#quiche.close(true, 0, new Uint8Array(0))
    } catch {
      // The peer was first.
    }
    this.#flush()
    this.#end()
  }

  #schedule(): void {
    if (this.#scheduled || this.#over) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    if (this.#over) return
    if (this.established) this.#read()
    if (this.established) this.#pump()
    this.#flush()
    for (const resolve of this.#waiting.splice(0)) resolve()
    if (this.#quiche.isClosed()) {
      this.#end()
      return
    }
    clearTimeout(this.#timer)
    const timeout = this.#quiche.timeout()
    if (timeout === null) return
    this.#timer = setTimeout(() => {
      this.#quiche.onTimeout()
      this.#schedule()
    }, timeout)
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #read(): void {
    const buffer = Buffer.alloc(DATAGRAM_SIZE)
    for (const id of this.#quiche.readable()) {
      this.onStream(id)
      try {
        while (this.#quiche.streamReadable(id) && this.#quiche.streamRecv(id, buffer) !== null);
      } catch {
        // It was reset.
      }
    }
  }

  #pump(): void {
    for (const [id, { bytes, fin }] of this.#unsent) {
      try {
        const taken = this.#quiche.streamSend(id, bytes, fin) ?? 0
        if (taken === bytes.length) this.#unsent.delete(id)
        else this.#unsent.set(id, { bytes: bytes.subarray(taken), fin })
      } catch {
        // The peer has stopped it, or allows no further streams.
        this.#unsent.delete(id)
      }
    }
  }

  #flush(): void {
    try {
      for (let sent = this.#quiche.send(this.#buffer); sent !== null; sent = this.#quiche.send(this.#buffer)) {
        this.#socket.send(Buffer.from(this.#buffer.subarray(0, sent[0])), this.#info.from.port, this.#info.from.host)
      }
    } catch {
      // It shows in the state.
    }
  }
}

function newId(): Uint8Array {
  return new Uint8Array(randomBytes(ID_SIZE))
}

function infoOf(socket: Socket, port: number): RecvInfo {
  const { address, port: own } = socket.address()
  return { from: { host: address, port }, to: { host: address, port: own } }
}

function configured(config: Config, protocols: readonly string[]): Config {
  config.setApplicationProtos([...protocols])
  config.setMaxIdleTimeout(IDLE_MS)
  config.setMaxRecvUdpPayloadSize(65_527)
  config.setMaxSendUdpPayloadSize(DATAGRAM_SIZE)
  config.setInitialMaxData(WINDOW)
  config.setInitialMaxStreamDataBidiLocal(WINDOW)
  config.setInitialMaxStreamDataBidiRemote(WINDOW)
  config.setInitialMaxStreamsBidi(STREAMS)
  return config
}
