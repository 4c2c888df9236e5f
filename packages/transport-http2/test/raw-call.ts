import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { Received } from '../../wire/test/support/wire-bytes.ts'

/** A session of a client that may do as it likes. */
export async function rawSession(address: string, options: SecureClientSessionOptions = {}) {
  const session = connect(address, options)
  session.on('error', () => {})
  const goaways: number[] = []
  session.on('goaway', (code) => goaways.push(code))
  const closed = once(session, 'close')
  await once(session, 'remoteSettings')
  return {
    session,
    goaways,
    closed,
    async [Symbol.asyncDispose]() {
      session.destroy()
      await closed
    },
  }
}

/** A request on a raw session: what is written to it, and what comes back. */
export class RawCall extends Received {
  readonly stream: ClientHttp2Stream
  /** The server has answered, and ended its direction or reset the stream. */
  readonly answered: Promise<void>
  /** The stream is gone, with this error code. */
  readonly closed: Promise<number>
  status: number | undefined = undefined

  constructor(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
    super()
    this.stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/qrpc+cbor', ...headers },
      { endStream: false },
    )
    this.stream.on('error', () => {})
    this.stream.on('response', (response: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      this.status = response[':status']
    })
    this.stream.on('data', (chunk: Buffer) => this.push(chunk))
    this.answered = new Promise((resolve) => {
      this.stream.once('end', resolve)
      this.stream.once('close', resolve)
    })
    this.closed = new Promise((resolve) => this.stream.once('close', () => resolve(this.stream.rstCode ?? 0)))
  }

  /** The call, once its request has left. */
  async sent(): Promise<this> {
    if (this.stream.pending) await once(this.stream, 'ready')
    return this
  }

  write(...parts: Uint8Array[]): this {
    this.stream.write(Buffer.concat(parts))
    return this
  }

  /** Resolves with the first message that comes from now on. */
  async next(): Promise<unknown> {
    const { length } = this.messages
    while (this.messages.length === length) await once(this.stream, 'data')
    return this.messages.at(-1)
  }
}
