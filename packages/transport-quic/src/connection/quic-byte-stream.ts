import { RpcError } from '@qrpc/core'
import type { ByteStream, ByteStreamReader } from '@qrpc/wire'
import { errorCodeOf, resetError } from '../error-codes.ts'
import type { QuicConnection } from './quic-connection.ts'

// Bytes that wait here while quiche takes no more: enough that it never runs dry while the writer is woken.
const HIGH_WATER_MARK = 128 * 1024
const LOW_WATER_MARK = 64 * 1024

const HEAD_SIZE = 256

const NOTHING = new Uint8Array(0)

/** A bidirectional QUIC stream (RFC 9000, section 2) as the bytes of a channel. */
export class QuicByteStream implements ByteStream {
  reader: ByteStreamReader | undefined = undefined
  /** -1 until the first write: the peer learns of a stream with its first bytes. */
  id: number
  paused = false
  private readonly connection: QuicConnection
  private readonly onStarted: (() => void) | undefined
  private queue: Uint8Array[] = []
  private queued = 0
  private full = false
  private fin = false
  private finSent = false
  private finReceived = false
  private gone = false
  // Whether the last bytes were read to where they belong.
  private inPlace = false

  /** @param onStarted For a stream of this side's own: told when it has an id, or will never have one. */
  constructor(connection: QuicConnection, id: number, onStarted?: () => void) {
    this.connection = connection
    this.id = id
    this.onStarted = onStarted
  }

  /** Whether there may be bytes that somebody wants. */
  get reading(): boolean {
    return !this.paused && !this.finReceived && !this.gone
  }

  write(buffers: readonly Uint8Array[], size: number, fin: boolean): boolean {
    if (this.gone) return true
    if (this.id < 0) {
      this.id = this.connection.start(this)
      this.onStarted?.()
    }
    for (const buffer of buffers) this.queue.push(buffer)
    this.queued += size
    if (fin) this.fin = true
    this.pump()
    this.connection.schedule()
    this.full = this.queued > HIGH_WATER_MARK
    return !this.full
  }

  /** Gives quiche what it takes of what waits. It is called again while it has not taken all. */
  pump(): void {
    const { quiche } = this.connection
    try {
      for (let taken = 0; ; taken++) {
        const buffer = this.queue[taken]
        if (buffer === undefined) {
          this.queue = []
          break
        }
        const last = this.fin && taken === this.queue.length - 1
        const sent = quiche.streamSend(this.id, buffer, last)
        if (sent === null || sent < buffer.length) {
          this.queued -= sent ?? 0
          this.queue = [sent === null ? buffer : buffer.subarray(sent), ...this.queue.slice(taken + 1)]
          this.block()
          return
        }
        this.queued -= sent
        if (last) this.finSent = true
      }
      if (this.fin && !this.finSent) {
        if (quiche.streamSend(this.id, NOTHING, true) === null) {
          this.block()
          return
        }
        this.finSent = true
      }
    } catch (error) {
      this.onWriteError(error)
      return
    }
    this.connection.unblocked(this)
    this.checkDone()
  }

  /** There may be room again for the one who writes. */
  drain(): void {
    if (!this.full || this.queued > LOW_WATER_MARK) return
    this.full = false
    this.reader?.onDrain()
  }

  /** Hands out what has arrived. */
  read(): void {
    const { quiche } = this.connection
    while (this.reading) {
      const space = this.reader?.space
      let buffer = space ?? this.connection.readBuffer()
      // Behind a long message most of the next one can be read in place, too, once its head is known.
      if (space === undefined && this.inPlace) buffer = buffer.subarray(0, HEAD_SIZE)
      this.inPlace = space !== undefined
      let received: [number, boolean] | null
      try {
        received = quiche.streamRecv(this.id, buffer)
      } catch (error) {
        this.onReadError(error)
        return
      }
      if (received === null) return
      const [size, fin] = received
      if (size > 0) {
        if (space !== undefined) this.reader?.onSpaceFilled?.(size)
        else {
          this.connection.readDone(size)
          this.reader?.onBytes(new Uint8Array(buffer.buffer, buffer.byteOffset, size))
        }
      }
      if (fin) {
        this.finReceived = true
        this.reader?.onEnd()
        this.checkDone()
      }
    }
  }

  /** Hears of a reset while it is paused: quiche has dropped then what had arrived, and counts the stream as read. */
  readReset(): void {
    if (!this.connection.quiche.streamFinished(this.id)) return
    this.paused = false
    this.read()
  }

  reset(error: RpcError): void {
    if (this.gone) return
    if (this.id >= 0) this.abandon(errorCodeOf(error.code))
    this.close(undefined)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    // Not here and now: the reader may be in the middle of something.
    this.connection.wake(this)
  }

  /** The stream is gone; told once. */
  close(error: RpcError | undefined): void {
    if (this.gone) return
    this.gone = true
    if (this.id < 0) this.onStarted?.()
    this.queue = []
    this.queued = 0
    this.connection.forget(this)
    const reader = this.reader
    this.reader = undefined
    reader?.onClosed(error)
  }

  /** Whether quiche holds the stream back, or has lost it: `streamSend` says the same in both cases. */
  private block(): void {
    this.connection.quiche.streamCapacity(this.id)
    this.connection.block(this)
  }

  private checkDone(): void {
    if (this.finSent && this.finReceived) this.close(undefined)
  }

  private onReadError(error: unknown): void {
    const errorCode = codeIn(error, 'StreamReset')
    if (errorCode !== undefined) this.connection.countReset()
    this.abandon(errorCode ?? 0)
    this.close(errorCode === undefined ? lost(error) : resetError(errorCode))
  }

  private onWriteError(error: unknown): void {
    const errorCode = codeIn(error, 'StreamStopped')
    // Stopped, which quiche may already have forgotten: what was to be written was made for nothing (CVE-2025-8671).
    this.connection.countReset()
    this.abandon(errorCode ?? 0)
    this.close(errorCode === undefined ? lost(error) : resetError(errorCode))
  }

  /**
   * Ends both directions. What has arrived is read first: this quiche never gives back the window of bytes that were
   * not read when a stream is stopped.
   */
  private abandon(errorCode: number): void {
    const { quiche, scratch } = this.connection
    try {
      while (!this.finReceived) {
        const received = quiche.streamRecv(this.id, scratch)
        if (received === null) break
        if (received[1]) this.finReceived = true
      }
    } catch {
      this.finReceived = true
    }
    this.connection.countAbandoned()
    if (!this.finReceived) attempt(() => quiche.streamShutdown(this.id, this.connection.shutdown.Read, errorCode))
    if (!this.finSent) attempt(() => quiche.streamShutdown(this.id, this.connection.shutdown.Write, errorCode))
    this.connection.schedule()
  }
}

/** What fails here has been done by the peer, or by the loss of the connection. */
function attempt(action: () => unknown): void {
  try {
    action()
  } catch {
    // Nothing is left to do.
  }
}

/** The number in an error such as `StreamReset(8)`, which is all that the binding tells. */
function codeIn(error: unknown, name: string): number | undefined {
  const text = error instanceof Error ? error.message : ''
  if (!text.startsWith(name)) return undefined
  return Number(/\((\d+)\)/.exec(text)?.[1] ?? 0)
}

function lost(error: unknown): RpcError {
  return new RpcError('unavailable', 'the QUIC stream was lost', { cause: error })
}
