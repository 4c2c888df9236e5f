import { Queue, RpcError } from '@qrpc/core'
import type { ByteStream, ByteStreamReader } from '@qrpc/wire'

/** How the bytes of a pipe travel. */
export interface PipeOptions {
  /** Bytes that arrive in one piece at most. */
  readonly chunkSize: number
  /** Bytes that a side takes before its writer has to wait. */
  readonly window: number
}

/** One end of a pair of byte streams in memory. What is written arrives in later turns, in chunks of a set size. */
export class PipeStream implements ByteStream {
  reader: ByteStreamReader | undefined = undefined
  private readonly options: PipeOptions
  private other!: PipeStream
  private readonly arriving = new Queue<Uint8Array>()
  private waiting = 0
  private full = false
  private paused = false
  private scheduled = false
  private finSent = false
  private finArrived = false
  private gone = false

  private constructor(options: PipeOptions) {
    this.options = options
  }

  static pair(options: PipeOptions): [PipeStream, PipeStream] {
    const one = new PipeStream(options)
    const other = new PipeStream(options)
    one.other = other
    other.other = one
    return [one, other]
  }

  write(buffers: readonly Uint8Array[], size: number, fin: boolean): boolean {
    if (this.finSent) throw new Error('a write after the end of the stream')
    if (this.gone) return true
    if (size !== buffers.reduce((sum, buffer) => sum + buffer.length, 0)) throw new Error('the size is wrong')
    for (const buffer of buffers) this.other.enqueue(buffer)
    if (fin) this.finSent = true
    this.other.schedule()
    this.full = this.other.waiting > this.options.window
    return !this.full
  }

  reset(error: RpcError): void {
    this.close(undefined)
    this.other.close(new RpcError(error.code, 'the peer reset the stream'))
  }

  /** Loses the stream, as the loss of a connection does. */
  close(error: RpcError | undefined): void {
    if (this.gone) return
    this.gone = true
    queueMicrotask(() => this.reader?.onClosed(error))
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.schedule()
  }

  private enqueue(buffer: Uint8Array): void {
    for (let at = 0; at < buffer.length; at += this.options.chunkSize) {
      // A copy: who reads it may keep it, and who wrote it may change his own.
      this.arriving.push(buffer.slice(at, at + this.options.chunkSize))
    }
    this.waiting += buffer.length
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.deliver()
    })
  }

  private deliver(): void {
    while (!this.paused && !this.gone) {
      const chunk = this.arriving.shift()
      if (chunk === undefined) break
      this.waiting -= chunk.length
      this.reader?.onBytes(chunk)
    }
    if (this.gone || this.paused) return
    const writer = this.other
    if (writer.full && this.waiting <= this.options.window) {
      writer.full = false
      writer.reader?.onDrain()
    }
    if (!writer.finSent || this.finArrived || this.arriving.size > 0) return
    this.finArrived = true
    this.reader?.onEnd()
    if (writer.finArrived) {
      this.close(undefined)
      writer.close(undefined)
    }
  }
}
