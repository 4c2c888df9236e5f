import type { Http2Stream, ServerHttp2Stream } from 'node:http2'
import type { RpcError } from '@qrpc/core'
import { CONTENT_TYPE } from '../stream/headers.ts'
import { Http2ByteStream } from '../stream/http2-byte-stream.ts'

const RESPONSE = { ':status': 200, 'content-type': CONTENT_TYPE }

/** A stream that the peer has opened. Its response headers leave with the first bytes. */
export class ServerByteStream extends Http2ByteStream {
  private readonly server: ServerHttp2Stream
  private readonly onGone: (stream: ServerHttp2Stream, wasReset: boolean) => void
  private ownReset = false

  /** @param onGone The stream is gone; the peer may have reset it. */
  constructor(
    stream: ServerHttp2Stream,
    lost: (cause: unknown) => RpcError | undefined,
    onGone: (stream: ServerHttp2Stream, wasReset: boolean) => void,
  ) {
    super(lost)
    this.server = stream
    this.onGone = onGone
    this.attach(stream)
  }

  override reset(error: RpcError): void {
    this.ownReset = true
    super.reset(error)
  }

  override onStreamClosed(stream: Http2Stream): void {
    this.onGone(this.server, !this.ownReset && Boolean(stream.rstCode))
    super.onStreamClosed(stream)
  }

  protected start(): Http2Stream | undefined {
    const stream = this.server
    if (!stream.headersSent && !stream.destroyed && !stream.closed) {
      stream.respond(RESPONSE)
    }
    return stream
  }
}
