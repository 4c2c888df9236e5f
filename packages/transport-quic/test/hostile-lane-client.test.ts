import type { Code, Context, Handlers, RpcError } from '@qrpc/core'
import type { QuicListenOptions } from '@qrpc/transport-quic'
import { describe, expect, test } from 'vitest'
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
import { errorCodeOf } from '../src/error-codes.ts'
import type { RawClient } from './raw-client.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const KIB = 1024
const BYTES = new Uint8Array(10)

/** What makes a text of `echo` come back as 15 KiB that cost the server nothing. */
const BULK = 'bulk'
const bulk = new Uint8Array(15 * KIB)

/** Handlers of `wait` that write down how they end: the codes of their signals, once each. */
function recorder() {
  const ended: Code[] = []
  let started = 0
  let onEnded = (): void => {}
  const changed: Partial<Handlers<typeof Echo>> = {
    echo: (message) => (message === BULK ? bulk : message),
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

/** A server with a lane on a raw connection, on which call 0 is running. */
async function withLane(listening: Omit<QuicListenOptions, 'tls'> = {}) {
  const handlers = recorder()
  const site = await underAttack(listening, handlers.changed)
  const client = await site.attacker()
  const lane = client.open().write(LANE, call(0, 'echo/wait'))
  return {
    site,
    client,
    lane,
    reader: LaneReader.of(lane),
    handlers,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

/** Another call on the connection of a lane that went wrong. */
async function expectWorking(client: RawClient): Promise<void> {
  const other = client.open().write(request('echo/echo', 'still here'), END).end()
  await other.answered
  expect([other.messages, other.ends]).toEqual([['still here'], ['end']])
}

describe('an offence resets the lane and ends its calls; streams of the connection go on, and so do other clients', () => {
  const offences: [what: string, frames: Uint8Array[], code: Code][] = [
    ['a number that is not the next', [call(5, 'echo/echo', 1)], 'invalid_argument'],
    ['a number twice', [call(0, 'echo/echo', 1)], 'invalid_argument'],
    ['a piece for a call that has not begun', [piece(9, BYTES)], 'invalid_argument'],
    ['more bytes than announced', [start(1, 15, BYTES), piece(1, BYTES)], 'invalid_argument'],
    ['a cancel of what has not begun', [signalFor(1, 'cancel', 'cancelled')], 'invalid_argument'],
    ['a status for a call', [signalFor(0, 'status', 'aborted')], 'invalid_argument'],
    ['a lane for a call', [controlFor(0, '8104')], 'invalid_argument'],
    ['a kind of frame that there is not', [tagged(7, BYTES)], 'invalid_argument'],
    ['a tag that is cut off', [frame('c0')], 'invalid_argument'],
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
    const { handlers, lane, client, site, reader } = at
    lane.write(...frames)
    expect(await lane.closed).toBe(errorCodeOf(code))
    await handlers.settled(1)
    expect(new Set(handlers.ended)).toEqual(new Set([code]))
    expect(reader.answers).toEqual([])
    await expectWorking(client)
    await site.othersGoOn()
    expect(handlers.running).toBe(0)
    expect(site.errors).toEqual([])
  })

  test('the end of the stream without the end of the lane', async () => {
    await using at = await withLane()
    at.lane.write(call(1, 'echo/echo', 1))
    expect(await at.reader.answer(1)).toBe(1)
    at.lane.end()
    await at.lane.closed
    await at.handlers.settled(1)
    expect(at.handlers.ended).toEqual(['unavailable'])
    await expectWorking(at.client)
    expect(at.site.errors).toEqual([])
  })

  test.each(['both', 'reset', 'stop'] as const)('a reset: %s', async (which) => {
    await using at = await withLane()
    at.lane.write(start(1, 100_000, BYTES), call(2, 'echo/echo', 1))
    expect(await at.reader.answer(2)).toBe(1)
    at.lane.abort(errorCodeOf('aborted'), which)
    // Of a stop the server hears when it writes.
    if (which === 'stop') at.lane.write(call(3, 'echo/echo', 1))
    await at.handlers.settled(1)
    expect(at.handlers.ended).toEqual(['aborted'])
    await expectWorking(at.client)
    expect(at.handlers.running).toBe(0)
  })

  test('the loss of the connection', async () => {
    const handlers = recorder()
    await using site = await underAttack({}, handlers.changed)
    {
      await using client = await site.attacker()
      const lane = client.open().write(LANE, call(0, 'echo/wait'), start(1, 100, BYTES), call(2, 'echo/echo', 1))
      expect(await LaneReader.of(lane).answer(2)).toBe(1)
    }
    await handlers.settled(1)
    expect(handlers.ended).toEqual(['unavailable'])
    await site.othersGoOn()
  })
})

describe('what is wrong with one call costs that call; the lane goes on', () => {
  const cases: [
    what: string,
    frames: Uint8Array[],
    answer: unknown,
    reported: Code[],
    options?: Omit<QuicListenOptions, 'tls'>,
  ][] = [
    ['garbage', [frame('04c3a4f6fc00de')], 'invalid_argument', []],
    ['a method that is not served', [call(1, 'echo/other', 1)], 'unimplemented', ['unimplemented']],
    ['an announced size of 2^52', [start(1, 2 ** 52, BYTES), piece(1, BYTES)], 'resource_exhausted', []],
    ['one byte over maxMessageSize', [start(1, KIB + 1)], 'resource_exhausted', [], { maxMessageSize: KIB }],
    [
      'one frame over maxMessageSize',
      [call(1, 'echo/echo', new Uint8Array(2 * KIB))],
      'resource_exhausted',
      [],
      { maxMessageSize: KIB },
    ],
    [
      'a cancel before it is whole',
      [start(1, 100, BYTES), signalFor(1, 'cancel', 'aborted'), piece(1, BYTES)],
      'end',
      [],
    ],
    ['pieces that never end', [start(1, 100, BYTES)], 'deadline_exceeded', [], { firstFrameTimeoutMs: 40 }],
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
    await expectWorking(at.client)
  })
})

describe('a stream that cannot become a lane', () => {
  test.each<[string, Uint8Array[], Omit<QuicListenOptions, 'tls'>]>([
    ['behind a request', [request('echo/echo', 1), LANE], {}],
    ['behind an end', [END, LANE], {}],
    ['behind a stop', [frame('83036761626f7274656460', true), LANE], {}],
    ['where there are none', [LANE], { lanes: false }],
  ])('%s', async (_, frames, options) => {
    await using site = await underAttack(options)
    await using client = await site.attacker()
    const lane = client.open().write(...frames, call(0, 'echo/echo', 1))
    await lane.answered
    expect(lane.ends).toContain('invalid_argument')
    expect(await lane.end().closed).toBe(0)
    await expectWorking(client)
  })

  test('a second lane leaves the first one as it was; behind its end there may be another', async () => {
    await using at = await withLane()
    // Its first frames must not arrive before those of the first.
    at.lane.write(call(1, 'echo/echo', 'first'))
    expect(await at.reader.answer(1)).toBe('first')
    const second = at.client.open().write(LANE, call(0, 'echo/echo', 1))
    await second.answered
    expect(second.ends).toEqual(['invalid_argument'])
    at.lane.write(call(2, 'echo/echo', 'still'), signalFor(0, 'cancel', 'aborted'), LANE_END)
    expect(await at.reader.answer(2)).toBe('still')
    expect(await at.lane.end().closed).toBe(0)
    const third = at.client.open()
    const reader = LaneReader.of(third)
    third.write(LANE, call(0, 'echo/echo', 'anew'))
    expect(await reader.answer(0)).toBe('anew')
  })
})

describe('floods', () => {
  test('calls whose responses nobody reads cost the lane before they cost more than 256 MiB', async () => {
    await using at = await withLane()
    const { lane, handlers, client, site } = at
    lane.reading = false
    let sent = 0
    while (handlers.ended.length === 0 && sent < 100_000) {
      lane.write(...Array.from({ length: 500 }, () => call(++sent, 'echo/echo', BULK)))
      await site.othersGoOn()
    }
    expect(handlers.ended).toEqual(['resource_exhausted'])
    expect(sent * bulk.length).toBeGreaterThan(256 * KIB * KIB)
    expect(sent * bulk.length).toBeLessThan(2 * 256 * KIB * KIB)
    lane.resume()
    expect(await lane.closed).toBe(errorCodeOf('resource_exhausted'))
    await expectWorking(client)
    expect(site.errors).toEqual([])
  })

  test('calls that are cancelled at once, by the thousand, leave nothing behind', async () => {
    await using at = await withLane({ maxConcurrentStreams: 10 })
    const { lane, reader, handlers } = at
    for (let n = 1; n <= 2000; n += 5) {
      for (let i = n; i < n + 5; i++) lane.write(call(i, 'echo/wait'), signalFor(i, 'cancel', 'cancelled'))
      await reader.answer(n)
    }
    await reader.answer(2000)
    expect(new Set(reader.answers.map(([, answer]) => answer))).toEqual(new Set(['end']))
    expect(handlers.ended).toHaveLength(2000)
    await expectWorking(at.client)
  })
})
