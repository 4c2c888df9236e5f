import { RpcError } from '@qrpc/core'
import type { HostPort, Quiche, QuicheConnection, RecvInfo } from '../binding.ts'
import { isAlert } from '../tls/tls-failure.ts'
import { QuicByteStream } from './quic-byte-stream.ts'
import { whyClosed } from './why-closed.ts'

/** Sends the datagrams of a connection. */
export interface DatagramSink {
  /** Sends the first `size` bytes of the buffer. @returns The buffer for the next datagram: the same once it is free. */
  send(buffer: Uint8Array, size: number, to: HostPort): Uint8Array
  /** Where the next datagram is made. */
  readonly buffer: Uint8Array
}

/** Whom a connection tells. */
export interface QuicConnectionObserver {
  onEstablished(): void
  /** The peer has opened a stream. Its reader must be there when this returns. */
  onStream(stream: QuicByteStream): void
  /** A turn is over: there may be credit for more streams. */
  onTurn(): void
  /** Nothing can be sent or received any more; all streams are closed with the error. Told once. */
  onClosed(error: RpcError): void
  /** The peer has reset a stream. */
  onReset(): void
}

// Up to so many streams it is cheaper to ask each of them than to have quiche list those with something to read.
const MOST_POLLED = 80
// How often the list is asked for while streams that are paused make it useless as a rule.
const LIST_EVERY = 4

// Datagrams that leave in one turn at most: the others, and a connection that has no end of them when it closes, must
// not keep the event loop.
const MOST_A_FLUSH = 256

const AMPLIFICATION = 3

const SLAB_SIZE = 64 * 1024
const SMALLEST_READ = 8 * 1024

/**
 * A QUIC connection without sockets: it is given datagrams, and gives datagrams to its sink.
 *
 * What has arrived in one turn of the event loop is looked at together, and what it leads to leaves together, once the
 * promise callbacks that it woke have run.
 */
export class QuicConnection {
  /** Whether the peer has shown that it gets what is sent to its address. Until then it is sent three times what came from there. */
  addressProven: boolean
  readonly quiche: QuicheConnection
  readonly shutdown: Quiche['Shutdown']
  readonly scratch: Uint8Array = new Uint8Array(16 * 1024)
  readonly #sink: DatagramSink
  readonly #observer: QuicConnectionObserver
  readonly #isServer: boolean
  readonly #streams = new Map<number, QuicByteStream>()
  readonly #blocked = new Set<QuicByteStream>()
  #woken: QuicByteStream[] = []
  #slab: Uint8Array = new Uint8Array(0)
  #slabUsed = 0
  #info: RecvInfo
  #remote: HostPort
  #moved = false
  // Bytes that may go to an address that has not proved itself (RFC 9000, section 8.1): quiche has been seen to exceed it.
  #budget = 0
  #nextOwn = 0
  #abandoned = 0
  #nextPeer = 0
  readonly #ahead = new Set<number>()
  #unlisted = 0
  #scheduled = false
  #flushing = false
  #established = false
  #closed: RpcError | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #timerAt = Number.POSITIVE_INFINITY

  constructor(
    binding: Quiche,
    connection: QuicheConnection,
    info: RecvInfo,
    isServer: boolean,
    sink: DatagramSink,
    observer: QuicConnectionObserver,
  ) {
    this.quiche = connection
    this.shutdown = binding.Shutdown
    this.#info = info
    this.#remote = info.from
    this.#isServer = isServer
    this.addressProven = !isServer
    this.#sink = sink
    this.#observer = observer
  }

  /** Where the peer is: others can send copies of its datagrams. */
  get remote(): HostPort {
    return this.#remote
  }

  /** Why nothing can be sent any more. */
  get closed(): RpcError | undefined {
    return this.#closed
  }

  /** Whether the handshake is done. */
  get established(): boolean {
    return this.#established
  }

  /**
   * Streams that were cut off, by either side. Each may have cost a part of the connection's window for good: this quiche
   * never gives back what was on its way to them.
   */
  get abandoned(): number {
    return this.#abandoned
  }

  /** After how long without a packet the peer gives up. */
  get peerIdleTimeoutMs(): number {
    return this.quiche.stats().peerMaxIdleTimeout || Number.POSITIVE_INFINITY
  }

  /** The protocol that both sides have agreed on in the handshake. */
  get protocol(): string {
    return Buffer.from(this.quiche.applicationProto()).toString()
  }

  /** Streams that can be started now. */
  get credit(): number {
    return this.quiche.peerStreamsLeftBidi()
  }

  /** A stream that starts with its first write. @param onStarted It has, or never will. */
  openStream(onStarted: () => void): QuicByteStream {
    return new QuicByteStream(this, -1, onStarted)
  }

  /** Takes a datagram. It may be changed. @returns Whether it was one of this connection's, as far as one can tell. */
  receive(datagram: Uint8Array, host: string, port: number): boolean {
    const { from } = this.#info
    if (from.port !== port || from.host !== host) {
      this.#moved = true
      this.#info = { from: { host, port }, to: this.#info.to }
    }
    if (!this.addressProven) this.#budget += AMPLIFICATION * datagram.length
    this.schedule()
    try {
      this.quiche.recv(datagram, this.#info)
      return true
    } catch {
      // A datagram that is none is dropped; what ends the connection shows in its state.
      return isAlert(this.quiche.localError()?.errorCode)
    }
  }

  /** Has the connection look at its streams, and flush, at the end of this turn. */
  readonly schedule = (): void => {
    if (this.#scheduled || this.#flushing) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  /** Keeps the connection from being idle. */
  keepAlive(): void {
    if (this.#closed !== undefined || !this.#established) return
    try {
      this.quiche.sendAckEliciting()
    } catch {
      // It is going down already.
    }
    this.schedule()
  }

  /** Closes the connection and tells the peer why, with an application error code. */
  close(errorCode: number, error: RpcError): void {
    try {
      this.quiche.close(true, errorCode, Buffer.from(error.message.slice(0, 200)))
    } catch {
      // It was closed before.
    }
    this.flush()
    this.end(error)
  }

  /** Ends the connection without a word to the peer. */
  end(error: RpcError): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    clearTimeout(this.#timer)
    for (const stream of this.#streams.values()) stream.close(error)
    this.#observer.onClosed(error)
  }

  /** Hands all datagrams that are ready to the sink. */
  readonly flush = (): void => {
    this.#flushing = false
    if (this.#closed !== undefined) return
    const { quiche } = this
    let { buffer } = this.#sink
    let more = false
    try {
      for (let count = 0; ; count++) {
        const sent = quiche.send(buffer)
        if (sent === null) break
        // Only a peer that has moved is not where it was.
        const to = this.#moved ? sent[1].to : this.#info.from
        // What may not be sent is as good as lost.
        if (this.#maySend(sent[0])) buffer = this.#sink.send(buffer, sent[0], to)
        if (count === MOST_A_FLUSH) {
          more = true
          break
        }
      }
    } catch (error) {
      this.end(new RpcError('unavailable', 'the QUIC connection has failed', { cause: error }))
      return
    }
    this.#armTimer()
    // Readers that took something while this turn was under way, or more to send than one turn should.
    if (more || this.#woken.length > 0) this.schedule()
  }

  // What follows is for streams.

  /** Gives a stream its id with its first write. */
  start(stream: QuicByteStream): number {
    const id = this.#nextOwn
    this.#nextOwn += 4
    this.#streams.set(id, stream)
    return id
  }

  /** A part of a larger buffer, to receive into. */
  readBuffer(): Uint8Array {
    if (this.#slab.length - this.#slabUsed < SMALLEST_READ) {
      this.#slab = new Uint8Array(Buffer.allocUnsafeSlow(SLAB_SIZE).buffer)
      this.#slabUsed = 0
    }
    return this.#slab.subarray(this.#slabUsed)
  }

  /** So many bytes of it were used. */
  readDone(size: number): void {
    this.#slabUsed += size
  }

  block(stream: QuicByteStream): void {
    this.#blocked.add(stream)
  }

  unblocked(stream: QuicByteStream): void {
    this.#blocked.delete(stream)
  }

  /** A stream that was paused wants to be read. */
  wake(stream: QuicByteStream): void {
    this.#woken.push(stream)
    this.schedule()
  }

  forget(stream: QuicByteStream): void {
    this.#blocked.delete(stream)
    if (stream.id >= 0) this.#streams.delete(stream.id)
  }

  countAbandoned(): void {
    this.#abandoned++
  }

  countReset(): void {
    this.#observer.onReset()
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.#closed !== undefined) return
    this.#flushing = true
    try {
      this.#process()
    } catch (error) {
      this.#flushing = false
      this.end(new RpcError('unavailable', 'the QUIC connection has failed', { cause: error }))
      return
    }
    // The callbacks of promises that were woken come first, and then what they have gathered for one flush.
    queueMicrotask(this.#afterMicrotasks)
  }

  readonly #afterMicrotasks = (): void => process.nextTick(this.#afterTicks)

  readonly #afterTicks = (): void => process.nextTick(this.flush)

  #process(): void {
    const { quiche } = this
    if (!this.#established && quiche.isEstablished()) {
      this.#established = true
      this.addressProven = true
      this.#observer.onEstablished()
    }
    if (quiche.isReadable()) this.#readStreams()
    if (this.#woken.length > 0) {
      const woken = this.#woken
      this.#woken = []
      for (const stream of woken) stream.read()
    }
    for (const stream of this.#blocked) {
      stream.pump()
      stream.drain()
    }
    if (quiche.isDraining() || quiche.isClosed()) this.end(whyClosed(this.quiche))
    else {
      if (this.#moved) this.#followPeer()
      this.#observer.onTurn()
    }
  }

  #readStreams(): void {
    const { quiche } = this
    if (this.#isServer) while (quiche.streamReadable(this.#nextPeer)) this.#accept(this.#nextPeer)
    const few = this.#streams.size <= MOST_POLLED
    let paused = false
    if (few) {
      for (const stream of this.#streams.values()) {
        if (stream.paused) {
          paused = true
          stream.readReset()
        } else if (quiche.streamReadable(stream.id)) stream.read()
      }
    }
    // Streams that came before others that the network has held up, or too many to ask each of them.
    if (quiche.isReadable() && (!paused || ++this.#unlisted % LIST_EVERY === 0)) this.#readListed()
  }

  #readListed(): void {
    for (const id of this.quiche.readable()) {
      const stream = this.#streams.get(id)
      if (stream?.paused) stream.readReset()
      else if (stream !== undefined) stream.read()
      else if (this.#isServer && id % 4 === 0 && id >= this.#nextPeer && !this.#ahead.has(id)) this.#accept(id)
    }
  }

  #accept(id: number): void {
    if (id === this.#nextPeer) {
      do this.#nextPeer += 4
      while (this.#ahead.delete(this.#nextPeer))
    } else this.#ahead.add(id)
    const stream = new QuicByteStream(this, id)
    this.#streams.set(id, stream)
    this.#observer.onStream(stream)
    stream.read()
  }

  /** A peer whose address has changed is followed once its new path is validated (RFC 9000, section 9). */
  #followPeer(): void {
    for (let event = this.quiche.pathEventNext(); event != null; event = this.quiche.pathEventNext()) {
      if (event.type === 'Validated') this.#remote = event.peer
    }
  }

  #maySend(size: number): boolean {
    if (this.addressProven) return true
    if (size > this.#budget) return false
    this.#budget -= size
    return true
  }

  /** One timer, which is armed anew only when it must fire earlier. */
  #armTimer(): void {
    const timeout = this.quiche.timeout()
    if (timeout === null) return
    const at = performance.now() + timeout
    if (this.#timer !== undefined && at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(this.#onTimer, timeout).unref()
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    this.#timerAt = Number.POSITIVE_INFINITY
    if (this.#closed !== undefined) return
    const timeout = this.quiche.timeout()
    if (timeout !== null && timeout > 0) {
      this.#armTimer()
      return
    }
    this.quiche.onTimeout()
    this.schedule()
  }
}
