import { once } from 'node:events'
import { type ClientHttp2Stream, connect } from 'node:http2'
import { FrameReader, frame, Inbox, packed, repeated } from '../framing.ts'
import { LARGE, type PeerClient } from '../peer.ts'
import { send, WINDOWS } from './tuned.ts'

/** What one would write on `node:http2` by hand, with its windows tuned. */
export async function connectRaw(address: string): Promise<PeerClient> {
  const session = connect(address, { settings: { initialWindowSize: WINDOWS.stream, enablePush: false } })
  await once(session, 'remoteSettings')
  session.setLocalWindowSize(WINDOWS.connection)
  const request = (path: string): ClientHttp2Stream =>
    session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/octet-stream' },
      { endStream: false },
    )

  return {
    echo: (message) =>
      new Promise((resolve, reject) => {
        const stream = request('/echo')
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
        stream.on('error', reject)
        stream.end(message)
      }),
    download: (count, size) =>
      new Promise((resolve, reject) => {
        const stream = request(`/download?${count}&${size}`)
        let bytes = 0
        const frames = new FrameReader((message) => {
          bytes += message.length
        })
        const add = (chunk: Buffer): void => {
          bytes += chunk.length
        }
        stream.on('data', size === LARGE ? add : (chunk: Buffer) => frames.read(chunk))
        stream.on('end', () => resolve(bytes))
        stream.on('error', reject)
        stream.end()
      }),
    async upload(count, message) {
      const large = message.length === LARGE
      const stream = request(large ? '/upload' : '/upload-packed')
      await send(stream, large ? repeated(message, count) : packed(message, count))
      const [answer] = (await once(stream, 'data')) as [Buffer]
      return Number(answer.toString())
    },
    converse() {
      const stream = request('/converse')
      const inbox = new Inbox()
      const frames = new FrameReader((message) => inbox.put(message))
      stream.on('data', (chunk: Buffer) => frames.read(chunk))
      stream.on('end', () => inbox.end())
      stream.on('error', () => inbox.end())
      return {
        send: (message) => (stream.write(frame(message)) ? undefined : once(stream, 'drain')),
        receive: () => inbox.take(),
        end: () => stream.end(),
      }
    },
    close: () => session.destroy(),
  }
}
