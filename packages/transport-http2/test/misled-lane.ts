import { once } from 'node:events'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createClient, RpcError } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions } from '@qrpc/transport-http2'
import { expect } from 'vitest'
import { LaneReader } from '../../wire/test/support/lane-bytes.ts'
import { END, message } from '../../wire/test/support/wire-bytes.ts'
import { OK } from './misled-client.ts'
import { Echo } from './service.ts'

const LANE_PATH = '/?lane'
const LANE_SETTING = 0xf0c2

/** A lane on which the test is the server. */
export interface MisledLane {
  readonly stream: ServerHttp2Stream
  /** What the client has sent. */
  readonly reader: LaneReader
  write(...frames: Uint8Array[]): void
}

/** How the server behaves. */
export interface MisledLaneOptions extends Http2ConnectOptions {
  /** Calls that it takes on a lane, as it says. Default: 100. */
  readonly laneCalls?: number
  /** What it does with a lane. Default: answers with good headers, and leaves the rest to the test. */
  readonly answer?: (stream: ServerHttp2Stream) => void
}

/** A client of a server that takes lanes, which the test then serves; streams are answered with `good`. */
export async function misledOnLane({ laneCalls = 100, answer, ...options }: MisledLaneOptions = {}) {
  const server = createServer({ settings: { customSettings: { [LANE_SETTING]: laneCalls } } })
  const sessions: ServerHttp2Session[] = []
  const lanes: MisledLane[] = []
  const paths: unknown[] = []
  let onLane = (): void => {}
  server.on('session', (session) => {
    session.on('error', () => {})
    sessions.push(session)
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    paths.push(headers[':path'])
    if (headers[':path'] !== LANE_PATH) {
      stream.resume()
      stream.respond(OK)
      stream.end(Buffer.concat([message('good'), END]))
      return
    }
    const reader = new LaneReader(true)
    stream.on('data', (chunk: Buffer) => reader.push(chunk))
    if (answer === undefined) stream.respond(OK)
    else answer(stream)
    lanes.push({ stream, reader, write: (...frames) => void stream.write(Buffer.concat(frames)) })
    onLane()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const connector = connectHttp2(address, { initialBackoffMs: 1, closeTimeoutMs: 20, ...options })
  const rpc = createClient(Echo, connector)
  // The connection is there from now on, and the server has not heard of a call.
  const unused = await connector.open()
  unused.cancel(new RpcError('cancelled', 'it was never used'))
  return {
    rpc,
    connector,
    sessions,
    paths,
    /** The lane of the client's first connection, or of a later one, once it is there. */
    async lane(index = 0): Promise<MisledLane> {
      while (lanes.length <= index) {
        await new Promise<void>((resolve) => {
          onLane = resolve
        })
      }
      return lanes[index] as MisledLane
    },
    /** A call that has its own stream, on the same connection. */
    async expectStreams() {
      expect(await rpc.echo('on a stream')).toBe('good')
      expect(paths.at(-1)).toBe('/echo/echo')
      expect(sessions).toHaveLength(1)
      expect(connector.state).toBe('ready')
    },
    async [Symbol.asyncDispose]() {
      await connector.close()
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
