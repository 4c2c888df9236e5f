import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { FrameReader, frame, packed, repeated } from '../framing.ts'
import { LARGE, MAX_STREAMS, message, type PeerSettings } from '../peer.ts'
import { send, WINDOWS } from './tuned.ts'

const HEADERS = { ':status': 200, 'content-type': 'application/octet-stream' }

/** The server that one would write on `node:http2` by hand, with its windows tuned. */
export async function serveRaw({ host }: PeerSettings): Promise<string> {
  const server = createServer({ settings: { initialWindowSize: WINDOWS.stream, maxConcurrentStreams: MAX_STREAMS } })
  server.on('session', (session) => session.setLocalWindowSize(WINDOWS.connection))
  server.on('stream', (stream, headers) => {
    // Without it a client that resets a stream ends the process.
    stream.on('error', () => {})
    const [path = '', query = ''] = String(headers[':path']).split('?')
    const [count = 0, size = 0] = query.split('&').map(Number)
    if (path === '/echo') echo(stream)
    else if (path === '/upload') upload(stream, false)
    else if (path === '/upload-packed') upload(stream, true)
    else if (path === '/converse') converse(stream)
    else {
      stream.respond(HEADERS)
      void send(stream, size === LARGE ? repeated(message(size), count) : packed(message(size), count))
    }
  })
  server.listen(0, host)
  await once(server, 'listening')
  return `http://${host}:${(server.address() as AddressInfo).port}`
}

function echo(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    stream.respond(HEADERS)
    stream.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  })
}

function upload(stream: ServerHttp2Stream, framed: boolean): void {
  let bytes = 0
  const frames = new FrameReader((update) => {
    bytes += update.length
  })
  stream.on('data', (chunk: Buffer) => {
    if (framed) frames.read(chunk)
    else bytes += chunk.length
  })
  stream.on('end', () => {
    stream.respond(HEADERS)
    stream.end(String(bytes))
  })
}

function converse(stream: ServerHttp2Stream): void {
  stream.respond(HEADERS)
  const frames = new FrameReader((update) => stream.write(frame(update)))
  stream.on('data', (chunk: Buffer) => frames.read(chunk))
  stream.on('end', () => stream.end())
}
