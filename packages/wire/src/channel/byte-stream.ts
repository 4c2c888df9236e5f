import type { RpcError } from '@qrpc/core'

/**
 * What carries the bytes of one channel: an HTTP/2 stream, a QUIC stream. None of its methods throws, and none calls
 * its reader before it returns, but for `reset`, which may call `onClosed`.
 */
export interface ByteStream {
  /** Whom it tells. It may be replaced while it is being told of bytes. */
  reader: ByteStreamReader | undefined
  /** Bytes that have arrived and wait for `resume`. Default: 0. */
  readonly unread?: number
  /**
   * Takes the buffers, in order; they belong to the stream from now on.
   *
   * @param size Bytes in the buffers together.
   * @param fin Ends the write side behind them.
   * @returns False where the caller should wait for `onDrain` before it writes more; the buffers are taken in any case.
   */
  write(buffers: readonly Uint8Array[], size: number, fin: boolean): boolean
  /** Cuts off both directions at once; the peer sees the error's code as far as the protocol has a code for it. */
  reset(error: RpcError): void
  /** Hands out no more bytes, so that the peer's window closes. */
  pause(): void
  /** Hands out bytes again. */
  resume(): void
}

/** Whom a {@link ByteStream} tells. */
export interface ByteStreamReader {
  /** Bytes have arrived. They must not change afterwards. */
  onBytes(chunk: Uint8Array): void
  /** Where the next bytes can be written, instead of calling `onBytes`: a copy less. It is good until the next call. */
  readonly space?: Uint8Array | undefined
  /** So many bytes have arrived in `space`. */
  onSpaceFilled?(size: number): void
  /** There is room again after a `write` that returned false. */
  onDrain(): void
  /** The peer has ended its write side. */
  onEnd(): void
  /** The stream is gone: both sides have ended, the peer has reset it, or the connection is lost. Told once, last. */
  onClosed(error: RpcError | undefined): void
}
