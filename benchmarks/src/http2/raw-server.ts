import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { encode } from 'cbor-x'
import { LARGE, SMALL } from '../network/contract.ts'

const HEADERS = { ':status': 200, 'content-type': 'application/octet-stream' }
const PACKED = 16 * 1024

const small = new Uint8Array(SMALL).fill(1)
const large = new Uint8Array(LARGE).fill(1)

const server = createServer({ settings: { initialWindowSize: 4 * 1024 * 1024, maxConcurrentStreams: 1000 } })
server.on('session', (session) => session.setLocalWindowSize(16 * 1024 * 1024))
server.on('stream', (stream, headers) => {
  // Without it a client that resets a stream ends the process.
  stream.on('error', () => {})
  const path = String(headers[':path'])
  const count = Number(path.slice(path.indexOf('?') + 1))
  if (path.startsWith('/echo')) echo(stream)
  else if (path.startsWith('/upload')) upload(stream)
  else if (path.startsWith('/ping-pong')) pingPong(stream)
  else void send(stream, path.startsWith('/small') ? packed(count) : chunks(count))
})
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
process.on('disconnect', () => process.exit())

function echo(stream: ServerHttp2Stream): void {
  stream.on('data', (chunk: Buffer) => {
    stream.respond(HEADERS)
    stream.end(chunk)
  })
}

function pingPong(stream: ServerHttp2Stream): void {
  stream.respond(HEADERS)
  stream.on('data', (chunk: Buffer) => stream.write(chunk))
  stream.on('end', () => stream.end())
}

function upload(stream: ServerHttp2Stream): void {
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  stream.on('end', () => {
    stream.respond(HEADERS)
    stream.end(String(bytes))
  })
}

async function send(stream: ServerHttp2Stream, buffers: Iterable<Uint8Array>): Promise<void> {
  stream.respond(HEADERS)
  for (const buffer of buffers) {
    if (!stream.write(buffer)) await new Promise((resolve) => stream.once('drain', resolve))
  }
  stream.end()
}

function* chunks(count: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield large
}

/** Messages in CBOR, each behind its length, as many as fit into a buffer. */
function* packed(count: number): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(PACKED)
  let end = 0
  for (let n = 0; n < count; n++) {
    const encoded = encode(small)
    if (end + 1 + encoded.length > PACKED) {
      yield buffer.subarray(0, end)
      buffer = Buffer.allocUnsafe(PACKED)
      end = 0
    }
    buffer[end++] = encoded.length
    buffer.set(encoded, end)
    end += encoded.length
  }
  yield buffer.subarray(0, end)
}
