import { type ClientHttp2Session, constants } from 'node:http2'
import type { Code, Context, Handlers, RpcError } from '@qrpc/core'
import type { Http2ListenOptions } from '@qrpc/transport-http2'
import { describe, expect, test } from 'vitest'
import { expectCheap } from '../../wire/test/support/cheap.ts'
import {
  call,
  controlFor,
  LANE,
  LANE_END,
  LaneReader,
  piece,
  signalFor,
  start,
  tagged,
} from '../../wire/test/support/lane-bytes.ts'
import { END, frame, head, request } from '../../wire/test/support/wire-bytes.ts'
import { END_HEADERS, FRAME, http2Frame, PREFACE, RawSocket, requestFields, uint32 } from './http2-bytes.ts'
import { RawCall, rawSession } from './raw-call.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const LANE_PATH = '/?lane'
const KiB = 1024
const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants
const BYTES = new Uint8Array(10)

/** Handlers of `wait` that write down how they end: the codes of their signals, once each. */
function recorder() {
  const ended: Code[] = []
  let started = 0
  let onEnded = (): void => {}
  const changed: Partial<Handlers<typeof Echo>> = {
    wait: (_: void, { signal }: Context) =>
      new Promise((resolve) => {
        started++
        signal.addEventListener('abort', () => {
          ended.push((signal.reason as RpcError).code)
          onEnded()
          resolve()
        })
      }),
  }
  const settled = async (count: number): Promise<void> => {
    while (ended.length < count)
      await new Promise<void>((resolve) => {
        onEnded = resolve
      })
  }
  return {
    ended,
    settled,
    changed,
    /** Handlers that run, but for the one of the client that behaves. */
    get running() {
      return started - ended.length - 1
    },
  }
}

/** A server with a lane on a raw session, on which call 0 is running. */
async function withLane(listening: Http2ListenOptions = {}, first = call(0, 'echo/wait')) {
  const handlers = recorder()
  const site = await underAttack(listening, handlers.changed)
  const raw = await rawSession(site.address)
  const lane = new RawCall(raw.session, LANE_PATH).write(LANE, first)
  return {
    site,
    raw,
    lane,
    reader: LaneReader.of(lane),
    handlers,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

/** Another call on the session of a lane that went wrong. */
async function expectWorking(session: ClientHttp2Session): Promise<void> {
  const other = new RawCall(session, '/echo/echo').write(request('echo/echo', 'still here'), END)
  other.stream.end()
  await other.answered
  expect([other.messages, other.ends]).toEqual([['still here'], ['end']])
}

describe('an offence resets the lane and ends its calls; streams of the connection go on, and so do other clients', () => {
  const offences: [what: string, frames: Uint8Array[], code: Code][] = [
    ['a number that is not the next', [call(5, 'echo/echo', 1)], 'invalid_argument'],
    ['a number twice', [call(0, 'echo/echo', 1)], 'invalid_argument'],
    ['numbers out of order', [call(2, 'echo/echo', 1), call(1, 'echo/echo', 1)], 'invalid_argument'],
    ['a number beyond 2^53', [tagged(2 ** 53 - 4, BYTES)], 'invalid_argument'],
    ['a piece for a call that has not begun', [piece(9, BYTES)], 'invalid_argument'],
    ['a piece for a call that is whole', [piece(0, BYTES)], 'invalid_argument'],
    ['more bytes than announced', [start(1, 15, BYTES), piece(1, BYTES)], 'invalid_argument'],
    ['a message where pieces are due', [start(1, 15, BYTES), call(1, 'echo/echo', 1)], 'invalid_argument'],
    ['a start where pieces are due', [start(1, 15, BYTES), start(1, 15, BYTES)], 'invalid_argument'],
    ['a cancel of what has not begun', [signalFor(1, 'cancel', 'cancelled')], 'invalid_argument'],
    ['an end for a call', [signalFor(0, 'status')], 'invalid_argument'],
    ['a status for a call', [signalFor(0, 'status', 'aborted')], 'invalid_argument'],
    ['a reset for a call', [signalFor(0, 'reset', 'aborted')], 'invalid_argument'],
    ['a stop for a call', [signalFor(0, 'stop', 'aborted')], 'invalid_argument'],
    ['a lane for a call', [controlFor(0, '8104')], 'invalid_argument'],
    ['a lane on the lane', [LANE], 'invalid_argument'],
    ['a control item that is none', [controlFor(0, 'ff')], 'invalid_argument'],
    ['a kind of frame that there is not', [tagged(7, BYTES)], 'invalid_argument'],
    ['an empty frame', [frame('')], 'invalid_argument'],
    ['a tag that is cut off', [frame('c0')], 'invalid_argument'],
    ['a size that is cut off', [tagged(5, Uint8Array.of(0xc0))], 'invalid_argument'],
    ['a call behind the end of the lane', [LANE_END, call(1, 'echo/echo', 1)], 'invalid_argument'],
    ['garbage', [Buffer.alloc(100, 0xff)], 'resource_exhausted'],
    ['a frame beyond maxMessageSize', [head(17n * 1024n * 1024n)], 'resource_exhausted'],
    [
      'more calls than there may be',
      Array.from({ length: 10 }, (_, n) => call(n + 1, 'echo/wait')),
      'resource_exhausted',
    ],
  ]

  test.each(offences)('%s', async (_, frames, code) => {
    await using at = await withLane({ maxConcurrentStreams: 10 })
    const { handlers, lane, raw, site, reader } = at
    lane.write(...frames)
    expect(await lane.closed).toBe(code === 'invalid_argument' ? NGHTTP2_CANCEL : NGHTTP2_ENHANCE_YOUR_CALM)
    await handlers.settled(1)
    expect(new Set(handlers.ended)).toEqual(new Set([code]))
    expect(reader.answers).toEqual([])
    await expectWorking(raw.session)
    await site.othersGoOn()
    expect(handlers.running).toBe(0)
    expect(site.errors).toEqual([])
    expect(raw.goaways).toEqual([])
  })

  test('the end of the stream without the end of the lane', async () => {
    await using at = await withLane()
    at.lane.write(call(1, 'echo/echo', 1))
    expect(await at.reader.answer(1)).toBe(1)
    at.lane.stream.end()
    await at.lane.closed
    await at.handlers.settled(1)
    expect(at.handlers.ended).toEqual(['unavailable'])
    await expectWorking(at.raw.session)
    expect(at.site.errors).toEqual([])
  })

  test.each<[number, Code]>([
    [NGHTTP2_CANCEL, 'cancelled'],
    [NGHTTP2_INTERNAL_ERROR, 'unavailable'],
  ])('a reset with code %d', async (rstCode, code) => {
    const handlers = recorder()
    await using site = await underAttack({}, handlers.changed)
    // node:http2 would end the stream first, and then reset it.
    await using raw = await RawSocket.connect(site.port)
    const bytes = Buffer.concat([LANE, call(0, 'echo/wait'), start(1, 100_000, BYTES), call(2, 'echo/echo', 1)])
    raw.write(
      PREFACE,
      http2Frame(FRAME.headers, END_HEADERS, 1, requestFields(LANE_PATH)),
      http2Frame(FRAME.data, 0, 1, bytes),
    )
    await raw.frame(({ type, stream }) => type === FRAME.data && stream === 1)
    raw.write(http2Frame(FRAME.rstStream, 0, 1, uint32(rstCode)))
    await handlers.settled(1)
    expect(handlers.ended).toEqual([code])
    expect(handlers.running).toBe(0)
    expect(raw.codes(FRAME.goaway)).toEqual([])
  })

  test('the loss of the connection', async () => {
    await using at = await withLane()
    at.lane.write(call(1, 'echo/echo', 1))
    expect(await at.reader.answer(1)).toBe(1)
    at.raw.session.destroy()
    await at.handlers.settled(1)
    expect(at.handlers.ended).toEqual(['unavailable'])
  })
})

describe('what is wrong with one call costs that call; the lane goes on', () => {
  const hexText = (text: string): string => Buffer.from(text).toString('hex')
  const method = `69${hexText('echo/echo')}`
  const tag = '04'
  const cases: [what: string, frames: Uint8Array[], answer: unknown, reported: Code[], options?: Http2ListenOptions][] =
    [
      ['an empty request', [tagged(4)], 'invalid_argument', []],
      ['garbage', [frame(`${tag}c3a4f6fc00de`)], 'invalid_argument', []],
      ['a header without a message', [frame(`${tag}81${method}`)], 'invalid_argument', []],
      ['bytes behind the message', [frame(`${tag}81${method}0101`)], 'invalid_argument', []],
      ['a timeout below 0', [frame(`${tag}82${method}2001`)], 'invalid_argument', []],
      ['metadata that is no list', [frame(`${tag}83${method}f6a001`)], 'invalid_argument', []],
      [
        'a header over maxHeaderSize',
        [frame(`${tag}81794e20${hexText('a'.repeat(20_000))}01`)],
        'resource_exhausted',
        [],
      ],
      ['a message that is no request', [frame(`${tag}f605`)], 'invalid_argument', ['invalid_argument']],
      ['a method that is not served', [call(1, 'echo/other', 1)], 'unimplemented', ['unimplemented']],
      ['a method with updates', [call(1, 'echo/talk')], 'end', []],
      ['a method with one response of many', [call(1, 'echo/count', 1)], 0, []],
      ['a method with responses without end', [call(1, 'echo/count', 2 ** 50)], 'internal', []],
      ['an announced size of 2^61', [start(1, 2 ** 52, BYTES), piece(1, BYTES)], 'resource_exhausted', []],
      ['an announced size of nothing', [start(1, 0)], 'invalid_argument', []],
      [
        'one byte over maxMessageSize',
        [start(1, 1025), piece(1, new Uint8Array(1025))],
        'resource_exhausted',
        [],
        { maxMessageSize: KiB },
      ],
      [
        'one frame over maxMessageSize',
        [call(1, 'echo/echo', new Uint8Array(2 * KiB))],
        'resource_exhausted',
        [],
        { maxMessageSize: KiB },
      ],
      [
        'a cancel before it is whole',
        [start(1, 100, BYTES), signalFor(1, 'cancel', 'aborted'), piece(1, BYTES)],
        'end',
        [],
      ],
      [
        'a cancel, and another one',
        [call(1, 'echo/wait'), signalFor(1, 'cancel', 'aborted'), signalFor(1, 'cancel', 'aborted')],
        'end',
        [],
      ],
      [
        'pieces that never end',
        [start(1, 100, BYTES), piece(1, BYTES)],
        'deadline_exceeded',
        [],
        { firstFrameTimeoutMs: 40 },
      ],
    ]

  test.each(cases)('%s', async (_, frames, answer, reported, options) => {
    await using at = await withLane(options)
    at.lane.write(...frames)
    expect(await at.reader.answer(1)).toBe(answer)
    at.lane.write(call(2, 'echo/echo', 'the next'))
    expect(await at.reader.answer(2)).toBe('the next')
    expect(at.reader.answers).toHaveLength(2)
    expect(at.site.errors).toEqual(reported)
    at.lane.write(signalFor(0, 'cancel', 'aborted'))
    expect(await at.reader.answer(0)).toBe('end')
    expect(at.handlers.running).toBe(0)
    await expectWorking(at.raw.session)
  })

  test('bombs cost less than 50 ms of CPU each', async () => {
    await using at = await withLane()
    const u32 = (size: number): string => size.toString(16).padStart(8, '0')
    const bombs = [
      `c25a${u32(200_000)}${'ff'.repeat(200_000)}`,
      `${'81'.repeat(100_000)}80`,
      `9a${u32(KiB * KiB)}${'a0'.repeat(KiB * KiB)}`,
      '9affffffff',
    ].map((hex) => Buffer.from(`81${method}${hex}`, 'hex'))
    let number = 0
    for (const bomb of bombs) {
      await expectCheap(async () => {
        number++
        at.lane.write(start(number, bomb.length), piece(number, bomb))
        expect(await at.reader.answer(number)).toBe('invalid_argument')
      })
    }
    await expectWorking(at.raw.session)
  })
})

describe('a stream that cannot become a lane', () => {
  test.each<[string, string, Uint8Array[], Http2ListenOptions]>([
    ['behind a request', LANE_PATH, [request('echo/echo', 1), LANE], {}],
    ['behind a call', LANE_PATH, [call(0, 'echo/echo', 1), LANE], {}],
    ['behind an end', LANE_PATH, [END, LANE], {}],
    ['behind a stop', LANE_PATH, [frame('83036761626f7274656460', true), LANE], {}],
    ['for a method', '/echo/echo', [LANE], {}],
    ['where there are none', LANE_PATH, [LANE], { lanes: false }],
  ])('%s', async (_, path, frames, options) => {
    await using site = await underAttack(options)
    await using raw = await rawSession(site.address)
    const lane = new RawCall(raw.session, path).write(...frames, call(0, 'echo/echo', 1))
    await lane.answered
    expect(lane.ends).toContain('invalid_argument')
    lane.stream.end()
    expect(await lane.closed).toBe(NGHTTP2_NO_ERROR)
    await expectWorking(raw.session)
  })

  test('a second lane leaves the first one as it was; behind its end there may be another', async () => {
    await using at = await withLane()
    const second = new RawCall(at.raw.session, LANE_PATH).write(LANE, call(0, 'echo/echo', 1))
    await second.answered
    expect(second.ends).toEqual(['invalid_argument'])
    at.lane.write(call(1, 'echo/echo', 'still'), signalFor(0, 'cancel', 'aborted'), LANE_END)
    expect(await at.reader.answer(1)).toBe('still')
    at.lane.stream.end()
    expect(await at.lane.closed).toBe(NGHTTP2_NO_ERROR)
    const third = new RawCall(at.raw.session, LANE_PATH)
    const reader = LaneReader.of(third)
    third.write(LANE, call(0, 'echo/echo', 'anew'))
    expect(await reader.answer(0)).toBe('anew')
  })

  test('a lane that never begins ends in time', async () => {
    await using site = await underAttack({ firstFrameTimeoutMs: 40 })
    await using raw = await rawSession(site.address)
    for (const bytes of [Buffer.alloc(0), LANE.subarray(0, 2)]) {
      const lane = new RawCall(raw.session, LANE_PATH).write(bytes)
      await lane.answered
      expect(lane.ends).toEqual(['deadline_exceeded'])
      lane.stream.end()
      await lane.closed
    }
    await expectWorking(raw.session)
  })
})

describe('floods', () => {
  test('small calls whose responses nobody reads cost the lane before they cost more than maxConnectionBuffer', async () => {
    const maxConnectionBuffer = 1024 * KiB
    await using at = await withLane({ maxConnectionBuffer })
    const { lane, handlers, raw, site } = at
    const text = 'x'.repeat(KiB)
    lane.stream.pause()
    let sent = 0
    while (handlers.ended.length === 0 && sent < 100_000) {
      lane.write(...Array.from({ length: 500 }, () => call(++sent, 'echo/echo', text)))
      await site.othersGoOn()
    }
    expect(handlers.ended).toEqual(['resource_exhausted'])
    // What was sent besides waits in windows and buffers.
    expect(sent * KiB).toBeLessThan(16 * maxConnectionBuffer)
    lane.stream.resume()
    await lane.closed
    await expectWorking(raw.session)
    expect(site.errors).toEqual([])
  })

  test('calls that are cancelled at once, by the thousand, leave nothing behind', async () => {
    await using at = await withLane({ maxConcurrentStreams: 10 })
    const { lane, reader, handlers } = at
    for (let n = 1; n <= 5000; n += 5) {
      for (let i = n; i < n + 5; i++) lane.write(call(i, 'echo/wait'), signalFor(i, 'cancel', 'cancelled'))
      await reader.answer(n)
    }
    await reader.answer(5000)
    expect(new Set(reader.answers.map(([, answer]) => answer))).toEqual(new Set(['end']))
    expect(at.raw.goaways).toEqual([])
    lane.write(call(5001, 'echo/echo', 'fine'))
    expect(await reader.answer(5001)).toBe('fine')
    expect(handlers.ended).toHaveLength(5000)
  })

  test('methods that are made up, by the thousand, leave nothing behind', async () => {
    await using at = await withLane()
    for (let n = 1; n <= 2500; n++) at.lane.write(call(n, `echo/${n}`, 1))
    await at.reader.answer(2500)
    expect(new Set(at.reader.answers.map(([, answer]) => answer))).toEqual(new Set(['unimplemented']))
    await expectWorking(at.raw.session)
  })

  test('lanes that are lost again and again count for nothing but themselves', async () => {
    await using at = await withLane()
    for (let n = 0; n < 100; n++) {
      const lane = new RawCall(at.raw.session, LANE_PATH).write(LANE, frame(''))
      await lane.answered
    }
    await expectWorking(at.raw.session)
    expect(at.raw.goaways).toEqual([])
  })
})

test('a server closes although a client holds on to its lane, with requests that are not whole', async () => {
  const at = await withLane()
  at.lane.write(start(1, 100, BYTES), call(2, 'echo/echo', 1))
  expect(await at.reader.answer(2)).toBe(1)
  const closing = at.site.listener.close({ graceMs: 60_000 })
  await at.reader.until(() => at.reader.ends === 1)
  at.lane.write(call(3, 'echo/echo', 'crossed'))
  expect(await at.reader.answer(3)).toBe('crossed')
  await Promise.all([closing, at.site.listener.close({ graceMs: 0 })])
  expect(at.handlers.ended).toEqual(['unavailable', 'unavailable'])
  await at.raw[Symbol.asyncDispose]()
})
