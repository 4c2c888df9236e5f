import type { Connection, Host, RecvInfo } from '@matrixai/quic/native/types.js'

/** What a stream sends: the next bytes, and whether they are the last. */
export type Source = () => { readonly bytes: Uint8Array; readonly fin: boolean }

/** A stream and what it has still to send. */
export class PumpStream {
  readonly id: number
  onData: (chunk: Buffer, fin: boolean) => void = () => {}
  source: Source | undefined = undefined
  /** What was not taken of the last bytes. */
  rest: { bytes: Uint8Array; fin: boolean } | undefined = undefined

  constructor(id: number) {
    this.id = id
  }
}

/** Streams that are asked one by one whether there is something to read: the list of all is dear. */
const MAX_ASKED = 80

/** The least that moves bytes over one connection of quiche: no errors, no cancelling, no limits. */
export class Pump {
  readonly connection: Connection
  readonly #info: RecvInfo
  readonly #transmit: (buffer: Uint8Array, size: number) => void
  readonly #buffer: Uint8Array
  readonly #chunk = Buffer.allocUnsafeSlow(64 * 1024)
  readonly #streams = new Map<number, PumpStream>()
  readonly #blocked = new Set<PumpStream>()
  readonly #accept: ((stream: PumpStream) => void) | undefined
  #nextId = 0
  #scheduled = false
  #timer: NodeJS.Timeout | undefined = undefined
  #due = Number.POSITIVE_INFINITY
  onEstablished: () => void = () => {}

  constructor(
    connection: Connection,
    info: { from: Host; to: Host },
    transmit: (buffer: Uint8Array, size: number) => void,
    accept?: (stream: PumpStream) => void,
  ) {
    this.connection = connection
    this.#info = info
    this.#transmit = transmit
    this.#buffer = Buffer.allocUnsafeSlow(16_383)
    this.#accept = accept
  }

  receive(datagram: Uint8Array): void {
    this.connection.recv(datagram, this.#info)
    this.#schedule()
  }

  /** Begins the handshake of a client. */
  start(): void {
    this.#schedule()
  }

  /** Opens a stream of the client. */
  open(onData: PumpStream['onData'], source: Source): void {
    const stream = this.#add(this.#nextId)
    this.#nextId += 4
    stream.onData = onData
    this.send(stream, source)
  }

  send(stream: PumpStream, source: Source): void {
    stream.source = source
    this.#blocked.add(stream)
    this.#schedule()
  }

  /** Nothing more is sent or received. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#scheduled = true
  }

  close(): void {
    this.stop()
    this.connection.close(true, 0, new Uint8Array(0))
    this.#flush()
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.connection.isEstablished()) this.onEstablished()
    if (this.connection.isReadable()) this.#read()
    for (const stream of this.#blocked) this.#push(stream)
    this.#flush()
  }

  #add(id: number): PumpStream {
    const stream = new PumpStream(id)
    this.#streams.set(id, stream)
    return stream
  }

  #read(): void {
    if (this.#accept !== undefined) {
      for (; this.connection.streamReadable(this.#nextId); this.#nextId += 4) this.#readStream(this.#nextId)
    }
    let asked = 0
    for (const id of this.#streams.keys()) {
      if (++asked > MAX_ASKED) break
      if (this.connection.streamReadable(id)) this.#readStream(id)
    }
    if (this.connection.isReadable()) for (const id of this.connection.readable()) this.#readStream(id)
  }

  #readStream(id: number): void {
    let stream = this.#streams.get(id)
    if (stream === undefined) {
      stream = this.#add(id)
      this.#accept?.(stream)
    }
    for (;;) {
      const got = this.connection.streamRecv(id, this.#chunk)
      if (got === null) return
      stream.onData(this.#chunk.subarray(0, got[0]), got[1])
      if (!got[1]) continue
      if (stream.source === undefined) this.#streams.delete(id)
      return
    }
  }

  #push(stream: PumpStream): void {
    for (;;) {
      const next = stream.rest ?? stream.source?.()
      if (next === undefined) break
      const taken = this.connection.streamSend(stream.id, next.bytes, next.fin) ?? 0
      if (taken < next.bytes.length) {
        stream.rest = taken === 0 ? next : { bytes: next.bytes.subarray(taken), fin: next.fin }
        return
      }
      stream.rest = undefined
      if (next.fin) break
    }
    stream.source = undefined
    this.#blocked.delete(stream)
    if (this.#accept !== undefined) this.#streams.delete(stream.id)
  }

  #flush(): void {
    for (;;) {
      const sent = this.connection.send(this.#buffer)
      if (sent === null) break
      this.#transmit(this.#buffer, sent[0])
    }
    const timeout = this.connection.timeout()
    if (timeout === null) return
    const due = performance.now() + timeout
    if (due >= this.#due) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(this.#onTimer, timeout)
  }

  readonly #onTimer = (): void => {
    this.#due = Number.POSITIVE_INFINITY
    this.connection.onTimeout()
    this.#flush()
  }
}
