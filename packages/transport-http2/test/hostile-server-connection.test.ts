import { once } from 'node:events'
import { connect as connectSession, constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { type Code, type ConnectionState, createClient, type StatefulConnector } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions, listenHttp2 } from '@qrpc/transport-http2'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { END, message } from '../../wire/test/support/wire-bytes.ts'
import { END_HEADERS, END_STREAM, FRAME, field, http2Frame, SETTINGS, setting, uint32 } from './http2-bytes.ts'
import { type Answer, bytes, misledClient, OK, open } from './misled-client.ts'
import { RawServer } from './raw-server.ts'
import { Echo, serveEcho } from './service.ts'

/** A connector to a raw server, which never closes its side. */
function connectRaw(server: RawServer, options: Http2ConnectOptions = {}): StatefulConnector {
  return connectHttp2(server.address, { initialBackoffMs: 1, closeTimeoutMs: 10, ...options })
}

/** Resolves when the connector is in the state. */
function reached(connector: StatefulConnector, wanted: ConnectionState): Promise<void> {
  if (connector.state === wanted) return Promise.resolve()
  return new Promise((resolve) => {
    const stop = connector.observeState((state) => {
      if (state !== wanted) return
      stop()
      resolve()
    })
  })
}

describe('a call that is cut off', () => {
  const resets: [name: string, rstCode: number, code: Code][] = [
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR, 'unavailable'],
    ['PROTOCOL_ERROR', constants.NGHTTP2_PROTOCOL_ERROR, 'internal'],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR, 'unavailable'],
    ['FLOW_CONTROL_ERROR', constants.NGHTTP2_FLOW_CONTROL_ERROR, 'internal'],
    ['SETTINGS_TIMEOUT', constants.NGHTTP2_SETTINGS_TIMEOUT, 'internal'],
    ['STREAM_CLOSED', constants.NGHTTP2_STREAM_CLOSED, 'internal'],
    ['FRAME_SIZE_ERROR', constants.NGHTTP2_FRAME_SIZE_ERROR, 'internal'],
    ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM, 'unavailable'],
    ['CANCEL', constants.NGHTTP2_CANCEL, 'cancelled'],
    ['COMPRESSION_ERROR', constants.NGHTTP2_COMPRESSION_ERROR, 'internal'],
    ['CONNECT_ERROR', constants.NGHTTP2_CONNECT_ERROR, 'internal'],
    ['ENHANCE_YOUR_CALM', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'resource_exhausted'],
    ['INADEQUATE_SECURITY', constants.NGHTTP2_INADEQUATE_SECURITY, 'permission_denied'],
    ['HTTP_1_1_REQUIRED', constants.NGHTTP2_HTTP_1_1_REQUIRED, 'internal'],
    ['a code of no meaning', 0xbeef, 'internal'],
  ]

  test.each(resets)('by a reset with %s, before the response or in the middle of it', async (_, rstCode, code) => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    const rst = http2Frame(FRAME.rstStream, 0, 0, uint32(rstCode))
    const onStream = (id: number, bytesOf: Buffer): Buffer => {
      const copy = Buffer.from(bytesOf)
      copy.writeUInt32BE(id, 5)
      return copy
    }
    const begun = [OK_HEADERS, http2Frame(FRAME.data, 0, 0, message('a text').subarray(0, 4))]
    for (const before of [[], [OK_HEADERS], begun]) {
      server.answer = (id) => [...before, rst].map((part) => onStream(id, part))
      await expectStatus(rpc.echo(1), code)
      await expectStatus(rpc.echo(new Uint8Array(100_000)), code)
    }
    server.answer = undefined
    expect(await rpc.echo(1)).toBe('good')
    expect(server.connections).toBe(1)
  })

  test('by node:http2’s own reset, which may end the stream first', async () => {
    await using at = await misledClient()
    for (const rstCode of [0, 2, 7, 8, 11]) {
      at.answerWith((stream) => {
        stream.respond(OK)
        stream.write(message('a text').subarray(0, 4))
        stream.close(rstCode)
      })
      await expect(at.rpc.echo(1)).rejects.toMatchObject({
        code: expect.stringMatching(/unavailable|internal|cancelled|resource/),
      })
    }
    await at.expectGood()
    expect(at.sessions).toBe(1)
  })

  const losses: [what: string, answer: Answer, text: RegExp][] = [
    ['the session is destroyed', (_, session) => session.destroy(), /lost|reset|closed/],
    ['the session is destroyed with an error', (_, session) => session.destroy(undefined, 2), /lost|GOAWAY|closed/],
    ['the socket is closed', (_, session) => session.socket.destroySoon(), /lost/],
    ['GOAWAY with an error', (_, session) => session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM), /11/],
  ]

  test.each(losses)('%s: all calls are unavailable, the next one connects anew', async (_, answer, text) => {
    await using at = await misledClient()
    const waiting: Promise<unknown>[] = []
    at.answerWith(open())
    for (let n = 0; n < 3; n++) waiting.push(expectStatus(at.rpc.echo(n), 'unavailable', text))
    const stream = at.rpc.count(1)
    const reading = expectStatus((async () => stream.receive())(), 'unavailable', text)
    const update = at.rpc.talk()
    await update.send(1)
    const receiving = expectStatus((async () => update.receive())(), 'unavailable', text)
    at.answerWith((opened, session) => {
      opened.respond(OK)
      opened.write(message('a text').subarray(0, 4), () => answer(opened, session))
    })
    await expectStatus(at.rpc.echo(1), 'unavailable', text)
    await Promise.all([...waiting, reading, receiving])
    await at.expectGood()
    expect(at.sessions).toBe(2)
  })

  test('GOAWAY in the middle of calls lets them finish, and later ones go to a new session', async () => {
    await using at = await misledClient()
    const opened: ServerHttp2Stream[] = []
    at.answerWith((stream, session) => {
      opened.push(stream)
      if (opened.length === 3) session.goaway()
    })
    const calls = [1, 2, 3].map((n) => at.rpc.echo(n))
    await reached(at.connector, 'ready')
    const retired = reached(at.connector, 'idle')
    await retired
    await at.expectGood()
    expect(at.sessions).toBe(2)
    for (const stream of opened) bytes(message('finished'), END)(stream, stream.session as ServerHttp2Session)
    expect(await Promise.all(calls)).toEqual(['finished', 'finished', 'finished'])
  })
})

const OK_HEADERS = http2Frame(
  FRAME.headers,
  END_HEADERS,
  0,
  Buffer.concat([field(':status', '200'), field('content-type', 'application/qrpc+cbor')]),
)

describe('a server that does not speak HTTP/2 as it should', () => {
  const openings: [what: string, bytes: Uint8Array][] = [
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
    ['garbage', Buffer.alloc(1000, 0xa5)],
    ['a first frame that is no SETTINGS', http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['GOAWAY before SETTINGS', http2Frame(FRAME.goaway, 0, 0, uint32(0, 0))],
    ['SETTINGS that are none', http2Frame(FRAME.settings, 0, 0, Buffer.alloc(7))],
    ['nothing', Buffer.alloc(0)],
    ['half of its SETTINGS', SETTINGS.subarray(0, 5)],
  ]

  test.each(openings)('%s: unavailable within the connect timeout, and found once it is good', async (_, opening) => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server, { connectTimeoutMs: 100, initialBackoffMs: 1 })
    const rpc = createClient(Echo, connector)
    server.opening = opening
    await expectStatus(rpc.echo(1), 'unavailable')
    server.opening = SETTINGS
    expect(await rpc.echo(1)).toBe('good')
  })

  const later: [what: string, bytes: Uint8Array][] = [
    ['garbage', Buffer.alloc(1000, 0xff)],
    ['a frame of 16 MiB', Buffer.from('ffffff000000000001', 'hex')],
    ['a PUSH_PROMISE, which it was told not to send', http2Frame(FRAME.pushPromise, END_HEADERS, 1, uint32(2))],
    ['data on a stream that never was', http2Frame(FRAME.data, 0, 99, Buffer.alloc(5))],
    ['a header block that is none', http2Frame(FRAME.headers, END_HEADERS, 1, Buffer.alloc(50, 0xff))],
    ['a window beyond 2^31', http2Frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1))],
    ['a PING of a wrong size', http2Frame(FRAME.ping, 0, 0, Buffer.alloc(7))],
    [
      'a header block without end',
      Buffer.concat([
        http2Frame(FRAME.headers, 0, 1, field(':status', '200')),
        ...Array.from({ length: 1000 }, () => http2Frame(FRAME.continuation, 0, 1, field('a', 'b'))),
      ]),
    ],
  ]

  test.each(later)('%s in the middle of a call: unavailable, and found once it is good', async (_, wrong) => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server, {
      keepAliveIntervalMs: 30,
      keepAliveTimeoutMs: 30,
      initialBackoffMs: 1,
    })
    const rpc = createClient(Echo, connector)
    server.answer = () => [wrong]
    const error = await rpc.echo(1).then(
      () => expect.fail('it resolved'),
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: expect.stringMatching(/^(unavailable|internal)$/) })
    server.answer = undefined
    expect(await rpc.echo(1)).toBe('good')
  })

  test('9,000 unknown frames before the answer do no harm, 100,000 none either, or they are a flood', async () => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    const { good } = server
    const noise = Buffer.concat(Array.from({ length: 1000 }, () => http2Frame(FRAME.unknown, 0, 0, Buffer.alloc(20))))
    server.answer = (id) => [...Array.from({ length: 9 }, () => noise), ...good(id)]
    expect(await rpc.echo(1)).toBe('good')
    server.answer = (id) => [...Array.from({ length: 100 }, () => noise), ...good(id)]
    // From 1.68 on nghttp2 has a limit: 10,000, and some hundreds a second.
    const limited = Number(process.versions.nghttp2?.split('.')[1]) >= 68
    const outcome = await rpc.echo(1).catch(({ code }: { code: Code }) => code)
    expect(outcome).toBe(limited ? 'unavailable' : 'good')
    server.answer = undefined
    expect(await rpc.echo(1)).toBe('good')
    expect(server.connections).toBe(limited ? 2 : 1)
  })

  test.each([
    ['PINGs', http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', SETTINGS],
  ])('100,000 %s at once are a flood: unavailable, and found once it is good', async (_, one) => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    const { good } = server
    const flood = Buffer.concat(Array.from({ length: 100_000 }, () => one))
    server.answer = (id) => [flood, ...good(id)]
    await expectStatus(rpc.echo(1), 'unavailable', /flooding/i)
    server.answer = undefined
    expect(await rpc.echo(1)).toBe('good')
  })

  test('a GOAWAY that excludes a call: unavailable, and the next one connects anew', async () => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    server.answer = () => [http2Frame(FRAME.goaway, 0, 0, uint32(0, 0))]
    await expectStatus(rpc.echo(1), 'unavailable')
    server.answer = undefined
    expect(await rpc.echo(1)).toBe('good')
    expect(server.connections).toBe(2)
  })

  test('GOAWAY, and then nonsense: its calls are unavailable, the next one connects anew', async () => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server, { keepAliveIntervalMs: 20, keepAliveTimeoutMs: 20 })
    const rpc = createClient(Echo, connector)
    server.answer = () => [
      Buffer.concat([
        http2Frame(FRAME.goaway, 0, 0, uint32(2 ** 31 - 1, 0)),
        http2Frame(FRAME.goaway, 0, 0, Buffer.alloc(3)),
      ]),
    ]
    await Promise.all([1, 2].map((n) => expectStatus(rpc.echo(n), 'unavailable', /no longer answers/)))
    server.answer = undefined
    expect(await rpc.echo(3)).toBe('good')
  })

  // Node.js loops for ever when a session is destroyed within a callback of nghttp2 while streams are being ended.
  test('a connector that is closed as soon as its calls have failed closes', async () => {
    await using server = await RawServer.listen()
    const connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    let opened = 0
    server.answer = () => {
      if (++opened < 3) return []
      const refusal = (id: number): Buffer =>
        http2Frame(FRAME.headers, END_HEADERS | END_STREAM, id, field(':status', '502'))
      return [Buffer.concat([refusal(3), refusal(5), http2Frame(FRAME.rstStream, 0, 1, uint32(8))])]
    }
    const calls = await Promise.allSettled([1, 2, 3].map((n) => rpc.echo(n)))
    await connector.close()
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  })

  test('opens wait while the server takes no streams, and go one by one when it takes one', async () => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    server.opening = http2Frame(FRAME.settings, 0, 0, setting(3, 0))
    let most = 0
    const good = server.good
    server.answer = (id) => {
      most++
      return good(id)
    }
    const calls = [1, 2, 3].map((n) => rpc.echo(n))
    const socket = await server.connected
    // Its answer comes only once the client has its SETTINGS.
    await server.ping(socket)
    expect(most).toBe(0)
    await expectStatus(rpc.echo(4, { timeout: 1 }), 'deadline_exceeded')
    socket.write(http2Frame(FRAME.settings, 0, 0, setting(3, 1)))
    expect(await Promise.all(calls)).toEqual(['good', 'good', 'good'])
    expect(server.connections).toBe(1)
  })

  test('who waits in line at a server that drops each connection is told after a few of them', async () => {
    await using server = await RawServer.listen()
    await using connector = connectRaw(server)
    const rpc = createClient(Echo, connector)
    server.opening = http2Frame(FRAME.settings, 0, 0, setting(3, 0))
    const call = expectStatus(rpc.echo(1), 'unavailable')
    const goaway = http2Frame(FRAME.goaway, 0, 0, uint32(0, 0))
    await reached(connector, 'ready')
    server.opening = Buffer.concat([server.opening, goaway])
    ;(await server.connected).write(goaway)
    await call
    expect(server.connections).toBeGreaterThan(1)
    expect(server.connections).toBeLessThan(6)
  })

  test('a server that never answers a PING: its calls are unavailable, the next one connects anew', async () => {
    await using server = await RawServer.listen()
    server.pongs = false
    await using connector = connectRaw(server, {
      keepAliveIntervalMs: 20,
      keepAliveTimeoutMs: 20,
      initialBackoffMs: 1,
    })
    const rpc = createClient(Echo, connector)
    server.answer = () => []
    const calls = [rpc.echo(1), rpc.echo(2)].map((call) => expectStatus(call, 'unavailable', /no longer answers/))
    await Promise.all(calls)
    server.answer = undefined
    server.pongs = true
    expect(await rpc.echo(3)).toBe('good')
    expect(server.connections).toBe(2)
  })

  test('a connector closes though the server keeps its side open, after GOAWAY too', async () => {
    for (const goaway of [false, true]) {
      await using server = await RawServer.listen()
      const connector = connectRaw(server, { closeTimeoutMs: 20 })
      const rpc = createClient(Echo, connector)
      expect(await rpc.echo(1)).toBe('good')
      const socket = await server.connected
      const gone = once(socket, 'close')
      if (goaway) {
        const idle = new Promise<void>((resolve) => connector.observeState((state) => state === 'idle' && resolve()))
        socket.write(http2Frame(FRAME.goaway, 0, 0, uint32(1, 0)))
        await idle
      }
      await connector.close()
      socket.destroy()
      await gone
    }
  })

  test('a socket that its server keeps open after GOAWAY is given up', async () => {
    await using server = await RawServer.listen()
    const sockets: Socket[] = []
    await using connector = connectRaw(server, {
      keepAliveIntervalMs: 20,
      createConnection: () => {
        const socket = connect(server.port, '127.0.0.1')
        sockets.push(socket)
        return socket
      },
    })
    const rpc = createClient(Echo, connector)
    expect(await rpc.echo(1)).toBe('good')
    const gone = once(sockets[0] as Socket, 'close')
    ;(await server.connected).write(http2Frame(FRAME.goaway, 0, 0, uint32(1, 0)))
    await gone
    expect(await rpc.echo(2)).toBe('good')
  })

  test('a session whose stream numbers come to their end is left for another before a call fails', async () => {
    await using server = serveEcho(await listenHttp2())
    const address = server.addresses[0] as string
    let sessions = 0
    await using connector = connectHttp2(address, {
      lanes: false,
      session: async () => {
        const session = connectSession(address)
        await once(session, 'connect')
        // The types of Node.js do not know it.
        const numbered = session as typeof session & { setNextStreamID(id: number): void }
        if (sessions++ === 0) numbered.setNextStreamID(2 ** 31 - 200_003)
        return session
      },
    })
    const rpc = createClient(Echo, connector)
    for (let n = 0; n < 10; n++) expect(await rpc.echo(n)).toBe(n)
    expect(sessions).toBe(2)
  })

  test('one that is replaced by a good one at the same port is found', async () => {
    const bad = await RawServer.listen()
    await using connector = connectRaw(bad)
    const rpc = createClient(Echo, connector)
    bad.answer = (id) => [http2Frame(FRAME.headers, END_HEADERS | END_STREAM, id, field(':status', '502'))]
    await expectStatus(rpc.echo(1), 'unavailable', '502')
    const lost = reached(connector, 'idle')
    await bad[Symbol.asyncDispose]()
    await lost
    await using _ = serveEcho(await listenHttp2({ port: bad.port }))
    expect(await rpc.echo('good')).toBe('good')
  })
})
