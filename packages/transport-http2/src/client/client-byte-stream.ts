import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
} from 'node:http2'
import { RpcError } from '@qrpc/core'
import { resetCode, statusError } from '../stream/error-codes.ts'
import { CONTENT_TYPE } from '../stream/headers.ts'
import { Http2ByteStream, ownerOf } from '../stream/http2-byte-stream.ts'

const OPTIONS = { endStream: false }

// How long an answer that is no qrpc may take to end, in ms.
const FOREIGN_ANSWER_MS = 1000
// Numbers of streams are used up after 2^30 calls. The last 100,000 are left to calls that are under way.
const LAST_STREAM_ID = 2 ** 31 - 200_000

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader

/** A stream that this side opens, once it has something to write: the peer learns of a call with its first bytes. */
export class ClientByteStream extends Http2ByteStream {
  private readonly session: ClientHttp2Session
  private readonly path: string
  private readonly onSpent: () => void

  /** @param onSpent The session should open no more streams. */
  constructor(
    session: ClientHttp2Session,
    path: string,
    lost: (cause: unknown) => RpcError | undefined,
    onSpent: () => void,
  ) {
    super(lost)
    this.session = session
    this.path = path
    this.onSpent = onSpent
  }

  override onStreamClosed(stream: Http2Stream): void {
    if ((stream.id ?? 0) >= LAST_STREAM_ID) this.onSpent()
    super.onStreamClosed(stream)
  }

  protected start(): Http2Stream | undefined {
    if (this.stream !== undefined) return this.stream
    let stream: ClientHttp2Stream
    try {
      stream = this.session.request({ ':method': 'POST', ':path': this.path, 'content-type': CONTENT_TYPE }, OPTIONS)
    } catch (error) {
      const failure = new RpcError('unavailable', 'the connection takes no more streams', { cause: error })
      process.nextTick(() => this.closed(failure))
      return undefined
    }
    this.attach(stream)
    stream.on('response', onResponse)
    return stream
  }

  /** Something else than a qrpc server has answered. */
  refuse(stream: Http2Stream, headers: ResponseHeaders): void {
    this.closed(statusError(headers[':status'] ?? 0, headers['content-type']))
    stream.resume()
    const cancel = (): void => stream.close(resetCode('cancelled'))
    if (stream.writableLength > 0) {
      cancel()
      return
    }
    // It ends by itself, as a rule, and to reset streams by the thousand would cost the session.
    stream.end()
    const timer = setTimeout(cancel, FOREIGN_ANSWER_MS).unref()
    stream.once('close', () => clearTimeout(timer))
  }
}

function onResponse(this: ClientHttp2Stream, headers: ResponseHeaders): void {
  if (headers[':status'] === 200 && headers['content-type'] === CONTENT_TYPE) return
  const owner = ownerOf(this)
  if (owner instanceof ClientByteStream) owner.refuse(this, headers)
}
