import type { Http2Stream } from 'node:http2'
import type { RpcError } from '@qrpc/core'
import type { ByteStream, ByteStreamReader } from '@qrpc/wire'
import { resetCode, resetError } from './error-codes.ts'

// Bytes that wait in the stream: enough that it never runs dry while its writer is woken.
const HIGH_WATER_MARK = 256 * 1024
const LOW_WATER_MARK = 128 * 1024

const OWNER: unique symbol = Symbol('qrpc.byteStream')

type OwnedStream = Http2Stream & { [OWNER]?: Http2ByteStream }

/** An HTTP/2 stream as the bytes of a channel. */
export abstract class Http2ByteStream implements ByteStream {
  reader: ByteStreamReader | undefined = undefined
  protected stream: Http2Stream | undefined = undefined
  private full = false
  private onWritten: (() => void) | undefined = undefined
  private readonly lost: (cause: unknown) => RpcError | undefined
  private cause: unknown = undefined

  /** @param lost The error of the connection, once it is lost. */
  constructor(lost: (cause: unknown) => RpcError | undefined) {
    this.lost = lost
  }

  /** The stream with its headers sent; `undefined` where it cannot be had, which `onClosed` has been told. */
  protected abstract start(): Http2Stream | undefined

  get unread(): number {
    return this.stream?.readableLength ?? 0
  }

  write(buffers: readonly Uint8Array[], size: number, fin: boolean): boolean {
    const stream = this.start()
    if (stream === undefined || !stream.writable) return true
    const last = buffers.length - 1
    if (last < 0) {
      if (fin) stream.end()
      return !this.full
    }
    if (last > 0) stream.cork()
    for (let i = 0; i < last; i++) stream.write(buffers[i])
    if (fin) stream.end(buffers[last])
    else if (stream.writableLength + size <= LOW_WATER_MARK / 2) stream.write(buffers[last])
    else {
      // Asked for well before the stream is full, so that it is heard of before the stream is empty.
      this.onWritten ??= () => this.drain(stream)
      stream.write(buffers[last], this.onWritten)
    }
    if (last > 0) stream.uncork()
    this.full = stream.writableLength > HIGH_WATER_MARK
    return !this.full
  }

  reset(error: RpcError): void {
    const stream = this.stream
    if (stream === undefined) this.closed(undefined)
    else if (!stream.destroyed) {
      stream.close(resetCode(error.code))
      // What is unread would keep it open.
      stream.resume()
    }
  }

  pause(): void {
    this.stream?.pause()
  }

  resume(): void {
    this.stream?.resume()
  }

  protected attach(stream: Http2Stream): void {
    this.stream = stream
    ;(stream as OwnedStream)[OWNER] = this
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('error', onError)
    stream.on('close', onClose)
  }

  /** The stream is gone; told once. */
  protected closed(error: RpcError | undefined): void {
    const reader = this.reader
    this.reader = undefined
    reader?.onClosed(error)
  }

  onStreamError(error: unknown): void {
    this.cause = error
  }

  onStreamEnded(stream: Http2Stream): void {
    // A session that is gone, and a reset, end a stream as if it had ended well; `close` then tells what has happened.
    if (this.lost(this.cause) === undefined && !stream.rstCode) this.reader?.onEnd()
  }

  onStreamClosed(stream: Http2Stream): void {
    const { rstCode } = stream
    this.closed(this.lost(this.cause) ?? (rstCode === undefined || rstCode === 0 ? undefined : resetError(rstCode)))
  }

  private drain(stream: Http2Stream): void {
    if (!this.full || stream.writableLength > LOW_WATER_MARK) return
    this.full = false
    this.reader?.onDrain()
  }
}

/** What carries its bytes. */
export function ownerOf(stream: Http2Stream): Http2ByteStream | undefined {
  return (stream as OwnedStream)[OWNER]
}

// One listener each for all streams: a closure a stream and event would cost more than the rest of this module.

function onData(this: OwnedStream, chunk: Buffer): void {
  this[OWNER]?.reader?.onBytes(chunk)
}

function onEnd(this: OwnedStream): void {
  this[OWNER]?.onStreamEnded(this)
}

function onClose(this: OwnedStream): void {
  this[OWNER]?.onStreamClosed(this)
}

/** Each error is followed by `close`. */
function onError(this: OwnedStream, error: unknown): void {
  this[OWNER]?.onStreamError(error)
}
