import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { decode } from 'cbor-x'
import { LARGE, SMALL } from '../network/contract.ts'

const small = new Uint8Array(SMALL).fill(1)
const large = new Uint8Array(LARGE).fill(1)

/** What one would write on `node:http2` by hand for each workload, with its windows tuned. */
export class RawClient {
  readonly #session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.#session = session
  }

  static async connect(address: string): Promise<RawClient> {
    const session = connect(address, { settings: { initialWindowSize: 4 * 1024 * 1024, enablePush: false } })
    await once(session, 'remoteSettings')
    session.setLocalWindowSize(16 * 1024 * 1024)
    return new RawClient(session)
  }

  echo(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#request('/echo')
      let answer: Buffer | undefined
      stream.on('data', (chunk: Buffer) => {
        answer = answer === undefined ? chunk : Buffer.concat([answer, chunk])
      })
      stream.on('end', () => (answer?.length === SMALL ? resolve() : reject(new Error('the echo is incomplete'))))
      stream.on('error', reject)
      stream.end(small)
    })
  }

  small(count: number): Promise<void> {
    let rest: Buffer = Buffer.alloc(0)
    let got = 0
    return this.#receive(`/small?${count}`, (chunk) => {
      const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let offset = 0
      while (offset < bytes.length) {
        const end = offset + 1 + (bytes[offset] as number)
        if (end > bytes.length) break
        decode(bytes.subarray(offset + 1, end))
        got++
        offset = end
      }
      rest = bytes.subarray(offset)
    }).then(() => {
      if (got !== count) throw new Error(`${got} messages instead of ${count}`)
    })
  }

  download(count: number): Promise<void> {
    let bytes = 0
    return this.#receive(`/download?${count}`, (chunk) => {
      bytes += chunk.length
    }).then(() => {
      if (bytes !== count * LARGE) throw new Error(`${bytes} bytes instead of ${count * LARGE}`)
    })
  }

  async upload(count: number): Promise<void> {
    const stream = this.#request('/upload')
    for (let n = 0; n < count; n++) {
      if (!stream.write(large)) await once(stream, 'drain')
    }
    stream.end()
    stream.resume()
    await once(stream, 'end')
  }

  /** One message after the other, each once the one before it has come back. */
  pingPong(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#request('/ping-pong')
      let left = count
      stream.on('data', () => {
        if (--left > 0) stream.write(small)
        else stream.end()
      })
      stream.on('end', resolve)
      stream.on('error', reject)
      stream.write(small)
    })
  }

  #receive(path: string, onData: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(path)
      stream.end()
      stream.on('data', onData)
      stream.on('end', resolve)
      stream.on('error', reject)
    })
  }

  #request(path: string): ClientHttp2Stream {
    return this.#session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/octet-stream' },
      { endStream: false },
    )
  }
}
