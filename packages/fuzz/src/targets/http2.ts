import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createClient } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { Tried } from '../contract.ts'
import { behind, concat } from '../engine/layout.ts'
import { Random } from '../engine/random.ts'
import { CONNECTION_BUDGET, type Target } from '../engine/target.ts'
import { callAll, GoodClient, GoodServer, recovers } from '../good-server.ts'
import { Front } from '../http2/relay.ts'
import { recordSessions } from '../http2/sessions.ts'
import { writeChunks } from '../http2/write-chunks.ts'
import { HTTP2_FRAMES } from '../layouts/http2-frames.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'

const CHOICES_SIZE = 2
const CALL_MS = 40
const STAYS_MS = 5
// Short, so that what waits for a peer that says nothing is tried, too.
const LISTENING = {
  firstFrameTimeoutMs: 100,
  handshakeTimeoutMs: 100,
  closeTimeoutMs: 50,
  maxMessageSize: 100_000,
}
// A session of Node.js that has ended itself for what the server did notices nothing more, not even that the socket is
// closed: time has to tell.
const CONNECTING = {
  connectTimeoutMs: 300,
  keepAliveIntervalMs: 100,
  keepAliveTimeoutMs: 200,
  closeTimeoutMs: 50,
  initialBackoffMs: 1,
  maxBackoffMs: 5,
  maxMessageSize: 100_000,
}

const SHARED = {
  budget: CONNECTION_BUDGET,
  layout: behind(CHOICES_SIZE, HTTP2_FRAMES),
  tokens: [...FRAMES, ...LANE_FRAMES],
}

/** A server's port, and any bytes on a connection to it, while another client makes its calls. */
export const http2Listener: Target = {
  ...SHARED,
  name: 'http2-listener',
  seeds: async () => (await recordSessions()).map(({ client }, n) => concat([Uint8Array.of(n, 0), client])),
  async open() {
    const server = new GoodServer(await listenHttp2(LISTENING))
    const client = new GoodClient(connectHttp2(server.address))
    const port = Number(new URL(server.address).port)
    await client.goesOn()
    return {
      async try(input) {
        const random = choices(input)
        const socket = connect(port, '127.0.0.1')
        const closed = closing(socket)
        await Promise.race([once(socket, 'connect'), closed])
        socket.resume()
        await writeChunks(socket, input.subarray(CHOICES_SIZE), random)
        await client.goesOn()
        // It is ended before it is cut off, or not.
        if (random.oneIn(4)) {
          socket.end()
          await client.goesOn()
        }
        socket.destroy()
        await closed
        server.check()
      },
      async close() {
        await client.close()
        await server.close()
      },
    }
  },
}

/** A connector, and any bytes as what a server says; then a good server is at its place. */
export const http2Connector: Target = {
  ...SHARED,
  name: 'http2-connector',
  atATime: 8,
  seeds: async () => (await recordSessions()).map(({ server }, n) => concat([Uint8Array.of(n, 0), server])),
  async open() {
    const server = new GoodServer(await listenHttp2())
    return {
      async try(input) {
        const random = choices(input)
        let hostile: Socket | undefined
        await using front = await Front.listen((socket, number, self) => {
          if (number > 0) return self.pass(socket, server.address)
          hostile = socket
          socket.on('data', () => {})
          const written = writeChunks(socket, input.subarray(CHOICES_SIZE), random)
          // Or it stays, and says nothing more.
          if (!random.oneIn(4)) void written.then(() => setTimeout(() => socket.destroy(), STAYS_MS))
        })
        await using connector = connectHttp2(front.address, { ...CONNECTING, lanes: !random.oneIn(4) })
        const client = createClient(Tried, connector)
        await callAll(client, CALL_MS)
        hostile?.destroy()
        await recovers(client)
      },
      close: () => server.close(),
    }
  },
}

function choices(input: Uint8Array): Random {
  return new Random((input[0] ?? 0) + (input[1] ?? 0) * 256)
}

/** Resolves once the socket is closed, whatever comes before. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })
}
