import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
} from 'node:http2'
import { RpcError } from '@qrpc/core'
import { resetCode, statusError } from '../stream/error-codes.ts'
import { CONTENT_TYPE, pathOf } from '../stream/headers.ts'
import { Http2ByteStream, ownerOf } from '../stream/http2-byte-stream.ts'

const OPTIONS = { endStream: false }

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader

/** A stream that this side opens, once it has something to write: the peer learns of a call with its first bytes. */
export class ClientByteStream extends Http2ByteStream {
  private readonly session: ClientHttp2Session
  private readonly method: string | undefined

  constructor(session: ClientHttp2Session, method: string | undefined, lost: (cause: unknown) => RpcError | undefined) {
    super(lost)
    this.session = session
    this.method = method
  }

  protected start(): Http2Stream | undefined {
    if (this.stream !== undefined) return this.stream
    let stream: ClientHttp2Stream
    try {
      stream = this.session.request(
        { ':method': 'POST', ':path': pathOf(this.method), 'content-type': CONTENT_TYPE },
        OPTIONS,
      )
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
    stream.close(resetCode('cancelled'))
    stream.resume()
  }
}

function onResponse(this: ClientHttp2Stream, headers: ResponseHeaders): void {
  if (headers[':status'] === 200 && headers['content-type'] === CONTENT_TYPE) return
  const owner = ownerOf(this)
  if (owner instanceof ClientByteStream) owner.refuse(this, headers)
}
