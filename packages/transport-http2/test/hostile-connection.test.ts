import { once } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Context, Handlers } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { END, head, message, request } from '../../wire/test/support/wire-bytes.ts'
import { makeCertificates } from './certificates.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  field,
  http2Frame,
  PREFACE,
  RawSocket,
  requestFields,
  SETTINGS_ACK,
  uint32,
} from './http2-bytes.ts'
import { RawCall, rawSession } from './raw-call.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const MiB = 1024 * 1024
const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

const certificates = await makeCertificates()

/** Memory of buffers and objects that are in use. */
function memory(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe('what is no HTTP/2', () => {
  const openings: [what: string, bytes: Uint8Array][] = [
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['an upgrade to HTTP/2', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['garbage', Buffer.alloc(1000, 0xa5)],
    ['frames without the preface', http2Frame(FRAME.settings, 0, 0)],
    [
      'a first frame that is no SETTINGS',
      Buffer.concat([PREFACE.subarray(0, 24), http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8))]),
    ],
    ['a frame of 16 MiB', Buffer.concat([PREFACE, Buffer.from('ffffff000000000001', 'hex')])],
    ['garbage after the preface', Buffer.concat([PREFACE, Buffer.alloc(1000, 0xff)])],
    [
      'a stream with an even number',
      Buffer.concat([PREFACE, http2Frame(FRAME.headers, END_HEADERS, 2, requestFields('/'))]),
    ],
    [
      'a header block that is none',
      Buffer.concat([PREFACE, http2Frame(FRAME.headers, END_HEADERS, 1, Buffer.alloc(50, 0xff))]),
    ],
    ['data before headers', Buffer.concat([PREFACE, http2Frame(FRAME.data, 0, 1, Buffer.alloc(5))])],
    ['a PUSH_PROMISE', Buffer.concat([PREFACE, http2Frame(FRAME.pushPromise, END_HEADERS, 1, uint32(2))])],
    [
      'an answer to a PING that was never sent, of a wrong size',
      Buffer.concat([PREFACE, http2Frame(FRAME.ping, 1, 0, Buffer.alloc(7))]),
    ],
    ['a window beyond 2^31', Buffer.concat([PREFACE, http2Frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1))])],
  ]

  // Of some of it node:http2 tells the client by GOAWAY, and leaves it at that: such a connection is idle from then on.
  const idleTimeoutMs = 60

  test.each(openings)('%s closes the connection', async (_, bytes) => {
    await using site = await underAttack({ idleTimeoutMs })
    await using raw = await RawSocket.connect(site.port)
    raw.write(bytes)
    await site.othersGoOn()
    await raw.closed
    expect(site.errors).toEqual([])
  })

  test.each(openings)('%s over TLS closes the connection', async (_, bytes) => {
    const { ca, server } = certificates
    await using site = await underAttack({ tls: server, idleTimeoutMs }, {}, { tls: { ca } })
    const socket = connectTls({
      port: site.port,
      host: '127.0.0.1',
      ca,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
    })
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'secureConnect')
    const closed = once(socket, 'close')
    socket.write(bytes)
    await site.othersGoOn()
    await closed
    expect(site.errors).toEqual([])
  })

  test('no TLS where TLS is spoken closes the connection', async () => {
    const { ca, server } = certificates
    await using site = await underAttack({ tls: server }, {}, { tls: { ca } })
    for (const bytes of [PREFACE, Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(100, 0xff)]) {
      await using raw = await RawSocket.connect(site.port)
      raw.write(bytes)
      await raw.closed
      await site.othersGoOn()
    }
  })

  test('a client over TLS that does not ask for h2 is told so in HTTP/1, or not let in', async () => {
    const { ca, server } = certificates
    await using site = await underAttack({ tls: server }, {}, { tls: { ca } })
    for (const ALPNProtocols of [undefined, ['http/1.1']]) {
      const socket = connectTls({ port: site.port, host: '127.0.0.1', ca, servername: 'localhost', ALPNProtocols })
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk
      })
      const outcome = await new Promise<string>((resolve) => {
        socket.on('error', (error) => resolve(error.message))
        socket.on('end', () => resolve(answer))
      })
      expect(outcome).toMatch(/HTTP\/1\.0 403|no application protocol/i)
      socket.destroy()
    }
  })
})

describe('requests that are not qrpc’s', () => {
  const requests: [method: string, type: string | undefined, status: number][] = [
    ['GET', undefined, 405],
    ['HEAD', undefined, 405],
    ['PUT', 'application/qrpc+cbor', 405],
    ['DELETE', 'application/qrpc+cbor', 405],
    ['OPTIONS', undefined, 405],
    ['POST', undefined, 415],
    ['POST', 'application/json', 415],
    ['POST', 'application/qrpc', 415],
    ['POST', 'application/grpc', 415],
  ]

  test.each(requests)('%s of %o is answered with %d', async (method, type, status) => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/echo', { ':method': method, 'content-type': type })
    // Its body is never ended: the stream is closed all the same.
    call.write(Buffer.alloc(1000))
    expect(await call.closed).toBe(NGHTTP2_NO_ERROR)
    expect(call.status).toBe(status)
    expect(site.errors).toEqual([])
    const good = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 1), END)
    await good.answered
    expect(good.messages).toEqual([1])
  })

  test('a CONNECT, and one of each that is reset at once, harm nobody', async () => {
    await using site = await underAttack()
    await using raw = await RawSocket.connect(site.port)
    const reset = uint32(NGHTTP2_CANCEL)
    raw.write(PREFACE)
    let stream = 1
    for (const [method] of [...requests, ['CONNECT']] as [string][]) {
      raw.write(
        http2Frame(FRAME.headers, END_HEADERS, stream, requestFields('/', method)),
        http2Frame(FRAME.rstStream, 0, stream, reset),
        http2Frame(FRAME.headers, END_HEADERS | END_STREAM, stream + 2, requestFields('/', method)),
        http2Frame(FRAME.rstStream, 0, stream + 2, reset),
      )
      stream += 4
    }
    raw.write(http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await raw.frame(({ type }) => type === FRAME.ping)
    expect(site.errors).toEqual([])
  })
})

function destroyAll(stream: ServerHttp2Stream): void {
  stream.destroy(new Error('gone'))
}

describe('floods', () => {
  test('streams beyond maxConcurrentStreams are refused, those within go on', async () => {
    await using site = await underAttack({ maxConcurrentStreams: 10 })
    await using raw = await RawSocket.connect(site.port)
    const ids = Array.from({ length: 60 }, (_, i) => 2 * i + 1)
    const opens = ids.map((id) => http2Frame(FRAME.headers, END_HEADERS, id, requestFields('/echo/talk')))
    raw.write(PREFACE, ...opens)
    for (const id of ids.slice(10)) await raw.frame(({ type, stream }) => type === FRAME.rstStream && stream === id)
    expect(raw.codes(FRAME.rstStream)).toEqual(Array.from({ length: 50 }, () => NGHTTP2_REFUSED_STREAM))
    expect(site.listener.counters.limits.maxConcurrentStreams).toBe(50)
    const call = Buffer.concat([request('echo/talk', undefined), message('still here')])
    for (const id of ids.slice(0, 10)) {
      raw.write(http2Frame(FRAME.data, 0, id, call))
      await raw.frame(({ type, stream }) => type === FRAME.data && stream === id)
    }
    expect(site.errors).toEqual([])
  })

  test('a client that goes on opening streams beyond maxConcurrentStreams is cut off', async () => {
    await using site = await underAttack({ maxConcurrentStreams: 10 })
    await using raw = await RawSocket.connect(site.port)
    const opens = Array.from({ length: 2000 }, (_, i) =>
      http2Frame(FRAME.headers, END_HEADERS, 2 * i + 1, requestFields('/echo/talk')),
    )
    // The acknowledgement makes the limit binding: from then on it is an error of the connection.
    raw.write(PREFACE, SETTINGS_ACK, ...opens)
    await raw.closed
    await site.othersGoOn()
  })

  test('a client that resets more than maxResets streams is told to calm down and cut off; others go on', async () => {
    await using site = await underAttack({ maxResets: 20 })
    await using raw = await RawSocket.connect(site.port)
    raw.write(PREFACE)
    for (let id = 1; id <= 2 * 20; id += 2) {
      raw.write(
        http2Frame(FRAME.headers, END_HEADERS, id, requestFields('/echo/wait')),
        http2Frame(FRAME.data, 0, id, request('echo/wait', undefined)),
        http2Frame(FRAME.rstStream, 0, id, uint32(NGHTTP2_CANCEL)),
      )
    }
    raw.write(
      http2Frame(FRAME.headers, END_HEADERS, 101, requestFields('/echo/echo')),
      http2Frame(FRAME.data, END_STREAM, 101, Buffer.concat([request('echo/echo', 1), END])),
    )
    await raw.frame(({ type, stream }) => type === FRAME.data && stream === 101)
    expect(raw.codes(FRAME.goaway)).toEqual([])
    expect(site.listener.counters.limits.maxResets).toBe(0)
    raw.write(
      http2Frame(FRAME.headers, END_HEADERS, 103, requestFields('/echo/echo')),
      http2Frame(FRAME.rstStream, 0, 103, uint32(NGHTTP2_CANCEL)),
    )
    await raw.closed
    expect(raw.codes(FRAME.goaway)[0]).toBe(NGHTTP2_ENHANCE_YOUR_CALM)
    expect(site.listener.counters.limits.maxResets).toBe(1)
  })

  test('the rapid reset attack: opened and reset in one packet (CVE-2023-44487)', async () => {
    await using site = await underAttack({ maxResets: 20 })
    await using raw = await RawSocket.connect(site.port)
    const attack = Array.from({ length: 100_000 / 20 }, (_, i) => [
      http2Frame(FRAME.headers, END_HEADERS, 2 * i + 1, requestFields('/echo/wait')),
      http2Frame(FRAME.rstStream, 0, 2 * i + 1, uint32(NGHTTP2_CANCEL)),
    ])
    raw.write(PREFACE, ...attack.flat())
    await raw.closed
    expect(raw.codes(FRAME.goaway)[0]).toBe(NGHTTP2_ENHANCE_YOUR_CALM)
    await site.othersGoOn()
  })

  test('streams that are opened, and reset for any reason in the same packet, harm nobody', async () => {
    await using site = await underAttack()
    for (const path of ['/echo/echo', '/none']) {
      await using raw = await RawSocket.connect(site.port)
      const attack = Array.from({ length: 14 }, (_, code) => [
        http2Frame(FRAME.headers, END_HEADERS, 2 * code + 1, requestFields(path, code % 2 === 0 ? 'POST' : 'GET')),
        http2Frame(FRAME.rstStream, 0, 2 * code + 1, uint32(code)),
      ])
      raw.write(PREFACE, ...attack.flat(), http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
      await raw.frame(({ type }) => type === FRAME.ping)
      await site.othersGoOn()
    }
    expect(site.errors).toEqual([])
  })

  test('a stream that is gone with an error by the time that it is told of harms nobody', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const gone = once(site.listener.server.prependListener('stream', destroyAll), 'stream')
    const call = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 1), END)
    await gone
    await call.closed
    site.listener.server.off('stream', destroyAll)
    await site.othersGoOn()
    expect(site.errors).toEqual([])
  })

  test('streams that the server must reset for their errors count, too (CVE-2025-8671)', async () => {
    await using site = await underAttack({ maxResets: 20 })
    await using raw = await RawSocket.connect(site.port)
    const attack = Array.from({ length: 5000 }, (_, i) => [
      http2Frame(FRAME.headers, END_HEADERS, 2 * i + 1, requestFields('/echo/wait')),
      http2Frame(FRAME.windowUpdate, 0, 2 * i + 1, uint32(0)),
    ])
    raw.write(PREFACE, ...attack.flat())
    await raw.closed
    await site.othersGoOn()
  })

  test.each([
    ['PING', http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', http2Frame(FRAME.settings, 0, 0)],
    ['unknown frames', http2Frame(FRAME.unknown, 0, 0, Buffer.alloc(100))],
    ['RST_STREAM of streams that never were', http2Frame(FRAME.rstStream, 0, 1, uint32(8))],
    ['empty DATA', http2Frame(FRAME.data, 0, 1)],
  ])('%s without end, by a client that reads nothing: memory is bounded, others go on', async (_, flood) => {
    await using site = await underAttack({}, {})
    await using raw = await RawSocket.connect(site.port)
    raw.write(PREFACE, http2Frame(FRAME.headers, END_HEADERS, 1, requestFields('/echo/wait')))
    await raw.frame(({ type }) => type === FRAME.settings)
    raw.socket.pause()
    const before = memory()
    const burst = Buffer.concat(Array.from({ length: 2000 }, () => flood))
    for (let n = 0; n < 50; n++) {
      raw.socket.write(burst)
      await site.othersGoOn()
    }
    expect(memory() - before).toBeLessThan(30 * MiB)
    expect(site.errors).toEqual([])
  })

  test('a header block in CONTINUATION frames without end closes the connection (CVE-2024-27983)', async () => {
    await using site = await underAttack()
    await using raw = await RawSocket.connect(site.port)
    const before = memory()
    raw.write(PREFACE, http2Frame(FRAME.headers, 0, 1, requestFields('/echo/wait')))
    const more = http2Frame(FRAME.continuation, 0, 1, Buffer.concat(Array.from({ length: 100 }, () => field('a', 'b'))))
    raw.write(...Array.from({ length: 10_000 }, () => more))
    await raw.closed
    await site.othersGoOn()
    expect(memory() - before).toBeLessThan(20 * MiB)
  })

  test.each([
    ['more headers than 64', Array.from({ length: 100 }, (_, i) => field(`x-${i}`, 'a'))],
    ['headers of more than 16 KiB', [field('x-large', 'a'.repeat(15_000)), field('y-large', 'a'.repeat(1500))]],
    [
      'a HPACK bomb: one large field in the table, named a thousand times',
      // Literal with incremental indexing, and then the index of it (RFC 7541, sections 6.2.1 and 6.1).
      [
        Buffer.concat([Buffer.from([0x40]), field('x-bomb', 'a'.repeat(3000)).subarray(1)]),
        Buffer.alloc(1000, 0x80 | 62),
      ],
    ],
  ])('%s: the stream is refused', async (_, fields) => {
    await using site = await underAttack()
    await using raw = await RawSocket.connect(site.port)
    const before = memory()
    const block = Buffer.concat([requestFields('/echo/echo'), ...fields])
    raw.write(
      PREFACE,
      SETTINGS_ACK,
      http2Frame(FRAME.headers, 0, 1, block.subarray(0, 16_384)),
      http2Frame(FRAME.continuation, END_HEADERS, 1, block.subarray(16_384)),
    )
    await raw.frame(({ type, stream }) => type === FRAME.rstStream && stream === 1)
    expect(raw.codes(FRAME.rstStream)).toEqual([NGHTTP2_ENHANCE_YOUR_CALM])
    await site.othersGoOn()
    expect(memory() - before).toBeLessThan(10 * MiB)
  })
})

describe('those that never come to the point', () => {
  test('a socket that stays silent is closed after idleTimeoutMs; a client that behaves is not', async () => {
    await using site = await underAttack({ idleTimeoutMs: 60 })
    await using raw = await RawSocket.connect(site.port)
    await raw.closed
    await site.othersGoOn()
    expect(site.listener.counters.limits.idleTimeoutMs).toBe(1)
  })

  test('a preface that comes byte by byte has handshakeTimeoutMs', async () => {
    await using site = await underAttack({ handshakeTimeoutMs: 60, idleTimeoutMs: 60_000 })
    await using raw = await RawSocket.connect(site.port)
    let sent = 0
    const trickle = setInterval(() => raw.socket.write(PREFACE.subarray(sent, ++sent % 24)), 5)
    await raw.closed
    clearInterval(trickle)
    await site.othersGoOn()
    expect(site.listener.counters.limits.handshakeTimeoutMs).toBe(1)
  })

  test('a TLS handshake that never begins has handshakeTimeoutMs', async () => {
    const { ca, server } = certificates
    await using site = await underAttack({ tls: server, handshakeTimeoutMs: 60 }, {}, { tls: { ca } })
    await using raw = await RawSocket.connect(site.port)
    await raw.closed
    await site.othersGoOn()
    expect(site.listener.counters.limits.handshakeTimeoutMs).toBe(1)
  })

  test('a client that sends no more than its preface is closed unless it answers', async () => {
    await using site = await underAttack({ idleTimeoutMs: 60 })
    await using silent = await RawSocket.connect(site.port)
    await using answering = await rawSession(site.address)
    silent.write(PREFACE)
    await silent.closed
    const call = new RawCall(answering.session, '/echo/echo').write(request('echo/echo', 1), END)
    await call.answered
    expect(call.messages).toEqual([1])
  })

  test('a client that says GOAWAY and keeps its socket open is closed', async () => {
    await using site = await underAttack({ idleTimeoutMs: 60 })
    const accepted = once(site.listener.server, 'connection') as Promise<[Socket]>
    await using raw = await RawSocket.connect(site.port, { allowHalfOpen: true })
    const [socket] = await accepted
    const gone = once(socket, 'close')
    raw.write(PREFACE, http2Frame(FRAME.goaway, 0, 0, uint32(0, 0)))
    await gone
    await site.othersGoOn()
  })

  // A bare node:http2 server ends the process here, by an assertion of nghttp2 (CVE-2026-27135).
  test('GOAWAY, a stream, and a frame of a wrong size in one piece end that connection alone', async () => {
    await using site = await underAttack()
    await using raw = await RawSocket.connect(site.port)
    const opened = http2Frame(FRAME.headers, END_HEADERS | END_STREAM, 1, Buffer.from('838684410161', 'hex'))
    const wrong = http2Frame(FRAME.settings, 0, 0, Buffer.alloc(4))
    raw.write(Buffer.concat([PREFACE, http2Frame(FRAME.goaway, 0, 0, uint32(0, 0)), opened, wrong]))
    await raw.closed
    await site.othersGoOn()
  })

  test('a stream whose first frame does not come is told so after firstFrameTimeoutMs, and then reset', async () => {
    await using site = await underAttack({ firstFrameTimeoutMs: 30, closeTimeoutMs: 30 })
    await using raw = await rawSession(site.address)
    const first = request('echo/echo', 'a text')
    const silent = new RawCall(raw.session, '/echo/echo')
    const halfway = new RawCall(raw.session, '/echo/echo').write(first.subarray(0, 10))
    const trickling = new RawCall(raw.session, '/echo/echo')
    let sent = 0
    const trickle = setInterval(
      () => trickling.stream.writable && trickling.write(first.subarray(sent, ++sent % 10)),
      5,
    )
    for (const call of [silent, halfway, trickling]) {
      await call.answered
      expect(call.ends).toEqual(['deadline_exceeded'])
      expect(await call.closed).toBe(NGHTTP2_CANCEL)
    }
    clearInterval(trickle)
    const good = new RawCall(raw.session, '/echo/echo').write(first, END)
    await good.answered
    expect(good.messages).toEqual(['a text'])
    expect(site.errors).toEqual([])
    expect(site.listener.counters.limits.firstFrameTimeoutMs).toBe(3)
  })

  test('clients that never end their side after the response hold their own places only', async () => {
    await using site = await underAttack({ maxConcurrentStreams: 20 })
    await using raw = await rawSession(site.address)
    for (let n = 0; n < 19; n++) {
      const call = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', n), END)
      await call.answered
      expect(call.messages).toEqual([n])
    }
    const last = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 'last'), END)
    await last.answered
    expect(last.messages).toEqual(['last'])
    const beyond = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 'beyond'), END)
    expect(await beyond.closed).toBe(constants.NGHTTP2_REFUSED_STREAM)
    await site.othersGoOn()
    last.stream.end()
    await last.closed
    const next = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 'next'), END)
    await next.answered
    expect(next.messages).toEqual(['next'])
  })
})

describe('those that do not read', () => {
  /** Responses of 16 KiB without end, and how many there were. */
  function endless() {
    const state = { sent: 0, stopped: 0 }
    const changed: Partial<Handlers<typeof Echo>> = {
      async *count(_: number, { signal }: Context) {
        signal.addEventListener('abort', () => state.stopped++)
        for (;;) {
          state.sent++
          yield new Uint8Array(16 * 1024) as never
        }
      },
    }
    return { state, changed }
  }

  test('endless responses wait for their reader: memory is bounded, other streams and connections go on', async () => {
    const { state, changed } = endless()
    await using site = await underAttack({}, changed)
    const before = memory()
    {
      await using raw = await rawSession(site.address)
      const deaf = Array.from({ length: 100 }, () => {
        const call = new RawCall(raw.session, '/echo/count').write(request('echo/count', 0))
        call.stream.pause()
        return call
      })
      let sent = -1
      while (sent !== state.sent) {
        sent = state.sent
        for (let n = 0; n < 20; n++) await site.othersGoOn()
      }
      expect(deaf.length).toBe(100)
      expect(state.sent * 16 * 1024).toBeLessThan(100 * MiB)
      expect(memory() - before).toBeLessThan(100 * MiB)
      const good = new RawCall(raw.session, '/echo/echo').write(request('echo/echo', 1), END)
      await good.answered
      expect(good.messages).toEqual([1])
    }
    while (state.stopped < 100) await site.othersGoOn()
  })

  test('a response that is larger than all windows waits in one piece, and its stream alone', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/echo')
    call.stream.pause()
    call.write(request('echo/echo', new Uint8Array(8 * MiB)), END)
    await once(call.stream, 'response')
    for (let n = 0; n < 20; n++) await site.othersGoOn()
    call.stream.resume()
    await call.answered
    expect(call.messages).toHaveLength(1)
    expect(call.ends).toEqual(['end'])
  })

  test('a client that reads nothing at all, and so does not answer, is closed', async () => {
    const { state, changed } = endless()
    await using site = await underAttack({ idleTimeoutMs: 60 }, changed)
    const accepted = once(site.listener.server, 'connection') as Promise<[Socket]>
    await using raw = await RawSocket.connect(site.port)
    const [socket] = await accepted
    const gone = once(socket, 'close')
    raw.write(
      PREFACE,
      http2Frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 30)),
      http2Frame(FRAME.headers, END_HEADERS, 1, requestFields('/echo/count')),
      http2Frame(FRAME.windowUpdate, 0, 1, uint32(2 ** 30)),
      http2Frame(FRAME.data, 0, 1, request('echo/count', 0)),
    )
    await raw.frame(({ type }) => type === FRAME.data)
    raw.socket.pause()
    await gone
    expect(state.stopped).toBe(1)
  })

  test.each([
    [
      'messages that no handler reads',
      (size: number) => Buffer.concat(Array.from({ length: size / 16_384 }, () => message(new Uint8Array(16_300)))),
    ],
    [
      'messages that are never complete',
      (size: number) => Buffer.concat([head(BigInt(size) * 2n), Buffer.alloc(size)]),
    ],
  ])(
    '%s may not hold more than maxConnectionBuffer on a connection: those who hold the most are ended',
    async (_, bytes) => {
      const changed: Partial<Handlers<typeof Echo>> = {
        // Takes its first update, and then no more.
        async *talk(_: void, updates: AsyncIterable<unknown>, { signal }: Context) {
          const iterator = updates[Symbol.asyncIterator]()
          yield (await iterator.next()).value
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        },
      }
      await using site = await underAttack({ maxConnectionBuffer: 8 * MiB, closeTimeoutMs: 20 }, changed)
      await using raw = await rawSession(site.address)
      const open = async (): Promise<RawCall> => {
        const call = new RawCall(raw.session, '/echo/talk').write(request('echo/talk', undefined), message('open'))
        expect(await call.next()).toBe('open')
        return call
      }
      const small = await open()
      small.write(bytes(64 * 1024))
      const chunk = bytes(2 * MiB)
      const calls: RawCall[] = []
      for (let n = 0; n < 32; n++) calls.push((await open()).write(chunk))
      const ended = (): RawCall[] => calls.filter((call) => call.ends.length > 0)
      // Four of them may stay.
      while (ended().length < 28) await site.othersGoOn()
      for (const call of ended()) expect(call.ends).toEqual(['resource_exhausted'])
      expect(small.ends).toEqual([])
      await site.othersGoOn()
    },
  )
})
