import { once } from 'node:events'
import { connect, createServer, type Http2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { decode, encode } from 'cbor-x'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { NumberedFrames, numbered } from './numbered.ts'
import { WINDOWS } from './tuned.ts'

const ONLY_CALLS = 'all its calls share one stream'

/** Calls by hand over one stream, with CBOR: the least that sharing a stream can cost. */
const peer: Peer = {
  cannot: { download: ONLY_CALLS, upload: ONLY_CALLS, converse: ONLY_CALLS },
  async serve({ host }) {
    const server = createServer({ settings: { initialWindowSize: WINDOWS.stream, maxConcurrentStreams: MAX_STREAMS } })
    server.on('session', (session) => session.setLocalWindowSize(WINDOWS.connection))
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond({ ':status': 200 })
      const write = gathering(stream)
      const frames = new NumberedFrames((call, body) => {
        // A handler may be asynchronous.
        void Promise.resolve(decode(body)).then((response) => write(call, encode(response)))
      })
      stream.on('data', (chunk: Buffer) => frames.read(chunk))
    })
    server.listen(0, host)
    await once(server, 'listening')
    return `http://${host}:${(server.address() as AddressInfo).port}`
  },
  async connect(address) {
    const session = connect(address, { settings: { initialWindowSize: WINDOWS.stream, enablePush: false } })
    await once(session, 'remoteSettings')
    session.setLocalWindowSize(WINDOWS.connection)
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false })
    const write = gathering(stream)
    const waiting = new Map<number, (response: Uint8Array) => void>()
    let next = 0
    const frames = new NumberedFrames((call, body) => {
      waiting.get(call)?.(decode(body) as Uint8Array)
      waiting.delete(call)
    })
    stream.on('data', (chunk: Buffer) => frames.read(chunk))
    return {
      echo: (message) =>
        new Promise((resolve) => {
          const call = next++
          waiting.set(call, resolve)
          write(call, encode(message))
        }),
      close: () => session.destroy(),
    }
  },
}
export default peer

/** Writes what one turn of the event loop has sent in one piece. */
function gathering(stream: Http2Stream): (call: number, body: Uint8Array) => void {
  let gathered: Uint8Array[] = []
  const flush = (): void => {
    stream.write(gathered.length === 1 ? gathered[0] : Buffer.concat(gathered))
    gathered = []
  }
  return (call, body) => {
    if (gathered.push(numbered(call, body)) === 1) process.nextTick(flush)
  }
}
