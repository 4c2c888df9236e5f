import { once } from 'node:events'
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Code, ConnectionState, StatefulConnector } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import {
  controlFor,
  LANE,
  LANE_END,
  piece,
  response,
  signalFor,
  start,
  tagged,
} from '../../wire/test/support/lane-bytes.ts'
import { frame, head, signal } from '../../wire/test/support/wire-bytes.ts'
import { OK } from './misled-client.ts'
import { misledOnLane } from './misled-lane.ts'

const KiB = 1024
const MiB = 1024 * KiB
const BYTES = new Uint8Array(10)
const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = constants

describe('an offence loses the lane and fails its calls; later ones have a stream each, on the same connection', () => {
  const offences: [what: string, frames: Uint8Array[], code: Code][] = [
    ['a response to a call that was not made', [response(9, 1)], 'invalid_argument'],
    ['a response twice', [response(2, 1), response(2, 1)], 'invalid_argument'],
    ['a status behind the response', [response(2, 1), signalFor(2, 'status', 'aborted')], 'invalid_argument'],
    ['a start twice', [start(0, 100, BYTES), start(0, 100, BYTES)], 'invalid_argument'],
    ['a message where pieces are due', [start(0, 100, BYTES), response(0, 1)], 'invalid_argument'],
    ['a piece of what has not begun', [piece(0, BYTES)], 'invalid_argument'],
    ['more bytes than announced', [start(0, 15, BYTES), piece(0, BYTES)], 'invalid_argument'],
    ['an end for a call that was not made', [signalFor(9, 'status')], 'invalid_argument'],
    ['a status for a call that was not made', [controlFor(9, '83006161' + '60')], 'invalid_argument'],
    ['a stop for a call', [signalFor(0, 'stop', 'aborted')], 'invalid_argument'],
    ['a lane for a call', [controlFor(0, '8104')], 'invalid_argument'],
    ['a control item that is none', [controlFor(0, 'ff')], 'invalid_argument'],
    ['a lane', [LANE], 'invalid_argument'],
    ['a kind of frame that there is not', [tagged(3, BYTES)], 'invalid_argument'],
    ['an empty frame', [frame('')], 'invalid_argument'],
    ['a cancel of the stream', [signal('cancel', 'permission_denied')], 'unavailable'],
    ['garbage', [Buffer.alloc(100, 0xff)], 'resource_exhausted'],
    ['a frame beyond maxMessageSize', [head(17n * BigInt(MiB))], 'resource_exhausted'],
  ]

  test.each(offences)('%s', async (_, frames, code) => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const calls = [at.rpc.wait(), at.rpc.echo(new Uint8Array(100_000)), at.rpc.echo(2)]
    const outcomes = Promise.allSettled(calls)
    await lane.reader.until(() => lane.reader.answers.length === 3)
    const closed = new Promise((resolve) => lane.stream.once('close', resolve))
    lane.write(...frames)
    const settled = await outcomes
    expect(settled.slice(0, 2)).toMatchObject([{ reason: { code } }, { reason: { code } }])
    await closed
    await at.expectStreams()
  })

  test('the end of the stream', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const calls = [at.rpc.echo(1), at.rpc.echo(2)]
    await lane.reader.until(() => lane.reader.answers.length === 2)
    lane.write(response(1, 'answered'), start(0, 100, BYTES))
    lane.stream.end()
    await expectStatus(calls[0] as Promise<unknown>, 'unavailable')
    expect(await calls[1]).toBe('answered')
    await at.expectStreams()
  })

  test.each<[number, Code]>([
    [NGHTTP2_CANCEL, 'cancelled'],
    [NGHTTP2_INTERNAL_ERROR, 'unavailable'],
    [NGHTTP2_REFUSED_STREAM, 'unavailable'],
  ])('a reset with code %d', async (rstCode, code) => {
    // node:http2 ends a stream that it has answered before it resets it.
    await using at = await misledOnLane({ answer: () => {} })
    const lane = await at.lane()
    const call = at.rpc.echo(1)
    await lane.reader.until(() => lane.reader.answers.length === 1)
    lane.stream.close(rstCode)
    await expectStatus(call, code)
    await at.expectStreams()
  })

  test.each<[number, string, Code]>([
    [503, 'text/html', 'unavailable'],
    [404, 'text/html', 'unimplemented'],
    [200, 'text/html', 'unknown'],
    [429, 'application/qrpc+cbor', 'unavailable'],
  ])('an answer that is no lane: %d %s', async (status, type, code) => {
    await using at = await misledOnLane({ answer: () => {} })
    const lane = await at.lane()
    const call = at.rpc.echo(1)
    await lane.reader.until(() => lane.reader.answers.length === 1)
    lane.stream.respond({ ':status': status, 'content-type': type })
    lane.stream.end('<html>sorry</html>')
    await expectStatus(call, code)
    await at.expectStreams()
  })

  test('a lane that ends before a call was made costs no call', async () => {
    await using at = await misledOnLane({
      answer: (stream) => {
        stream.respond(OK)
        stream.end()
      },
    })
    const { stream } = await at.lane()
    // The client has ended its direction, too, and knows.
    if (!stream.closed) await once(stream, 'close')
    await at.expectStreams()
    expect(at.paths).toEqual(['/?lane', '/echo/echo'])
  })
})

describe('what is wrong with one response costs its call; the lane goes on', () => {
  const bytes = new Uint8Array(2 * KiB)
  const cases: [what: string, frames: Uint8Array[], code: Code][] = [
    ['garbage', [frame('00c3a4f6fc00de')], 'invalid_argument'],
    ['nothing', [frame('00')], 'invalid_argument'],
    ['a bomb', [frame(`009a00010000${'a0'.repeat(1000)}`)], 'invalid_argument'],
    ['one byte over maxMessageSize', [start(0, KiB + 1, BYTES)], 'resource_exhausted'],
    ['an announced size of 2^52', [start(0, 2 ** 52, BYTES)], 'resource_exhausted'],
    ['one frame over maxMessageSize', [response(0, bytes)], 'resource_exhausted'],
    ['an end', [signalFor(0, 'status')], 'unavailable'],
    ['a status', [signalFor(0, 'status', 'not_found')], 'not_found'],
    ['a cancel', [signalFor(0, 'cancel', 'aborted')], 'aborted'],
    ['a reset', [signalFor(0, 'reset', 'data_loss')], 'data_loss'],
    ['a code that there is not', [controlFor(0, '830063666f6f6178')], 'unknown'],
    ['half of it, and a status', [start(0, 100, BYTES), signalFor(0, 'status', 'not_found')], 'not_found'],
    ['half of it, and an end', [start(0, 100, BYTES), signalFor(0, 'status')], 'unavailable'],
  ]

  test.each(cases)('%s', async (_, frames, code) => {
    await using at = await misledOnLane({ maxMessageSize: KiB })
    const lane = await at.lane()
    const [bad, good] = [at.rpc.echo(1), at.rpc.echo(2)]
    await lane.reader.until(() => lane.reader.answers.length === 2)
    lane.write(...frames, response(1, 'good'))
    await expectStatus(bad, code)
    expect(await good).toBe('good')
    const next = at.rpc.echo(3)
    await lane.reader.answer(2)
    lane.write(response(2, 'next'))
    expect(await next).toBe('next')
    expect(at.paths).toEqual(['/?lane'])
  })

  test('pieces that never end: the deadline ends the call, and what still comes is dropped', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const call = at.rpc.echo(1, { timeout: 200 })
    await lane.reader.answer(0)
    lane.write(start(0, 10 * MiB, BYTES), piece(0, new Uint8Array(MiB)))
    await expectStatus(call, 'deadline_exceeded')
    await lane.reader.until(() => lane.reader.answers.length === 2)
    expect(lane.reader.answers[1]).toEqual([0, 'deadline_exceeded'])
    for (let n = 0; n < 8; n++) lane.write(piece(0, new Uint8Array(MiB)))
    const next = at.rpc.echo(2)
    await lane.reader.answer(1)
    lane.write(response(1, 'next'))
    expect(await next).toBe('next')
  })

  test('cancels that are never answered keep their places: further calls wait in line, and can be given up', async () => {
    await using at = await misledOnLane({ laneCalls: 2 })
    const lane = await at.lane()
    const controller = new AbortController()
    const given = [1, 2].map((n) => at.rpc.echo(n, { signal: controller.signal }))
    await lane.reader.until(() => lane.reader.answers.length === 2)
    controller.abort()
    for (const call of given) await expectStatus(call, 'cancelled')
    await expectStatus(at.rpc.echo(3, { timeout: 20 }), 'deadline_exceeded')
    const last = at.rpc.echo(4)
    lane.write(signalFor(1, 'cancel'))
    expect(await lane.reader.answer(2)).toMatchObject({ message: 4 })
    lane.write(response(2, 'last'))
    expect(await last).toBe('last')
    expect(lane.reader.answers).toHaveLength(5)
  })

  test('requests that are never read are not sent without bound, and can be given up', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    lane.stream.pause()
    const controller = new AbortController()
    const large = new Uint8Array(4 * MiB)
    const calls = Array.from({ length: 20 }, () => at.rpc.echo(large, { signal: controller.signal }))
    const outcomes = Promise.allSettled(calls)
    // Streams go on meanwhile.
    for await (const _ of at.rpc.count(1));
    controller.abort()
    expect(new Set((await outcomes).map((outcome) => (outcome as { reason: { code: Code } }).reason.code))).toEqual(
      new Set(['cancelled']),
    )
    lane.stream.resume()
    const last = at.rpc.echo('last')
    await lane.reader.until(() =>
      lane.reader.answers.some(([, got]) => (got as { message?: unknown }).message === 'last'),
    )
    const number = lane.reader.answers.at(-1)?.[0] as number
    expect(number).toBeLessThan(10)
    lane.write(response(number, 'read'))
    expect(await last).toBe('read')
  })
})

/** Resolves once the connector has the state. */
async function becomes(connector: StatefulConnector, state: ConnectionState): Promise<void> {
  if (connector.state === state) return
  await new Promise<void>((resolve) => {
    const stop = connector.observeState((now) => {
      if (now !== state) return
      stop()
      resolve()
    })
  })
}

describe('a server that asks its client to leave', () => {
  test('is answered by a new connection for later calls; those that run are finished, and then it is left', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const running = [at.rpc.echo(1), at.rpc.echo(new Uint8Array(50_000))]
    await lane.reader.until(() => lane.reader.answers.length === 2)
    lane.write(LANE_END, LANE_END, LANE_END)
    await becomes(at.connector, 'idle')
    const later = at.rpc.echo('later')
    const other = await at.lane(1)
    await other.reader.answer(0)
    other.write(response(0, 'elsewhere'))
    expect(await later).toBe('elsewhere')
    expect(at.sessions).toHaveLength(2)
    const left = once(at.sessions[0] as ServerHttp2Session, 'close')
    lane.write(response(0, 'in time'))
    expect(await running[0]).toBe('in time')
    expect(lane.reader.ends).toBe(0)
    lane.write(response(1, 'and the other'))
    expect(await running[1]).toBe('and the other')
    await lane.reader.until(() => lane.reader.ends === 1)
    lane.stream.end()
    await left
  })

  test.each<[string, (stream: ServerHttp2Stream) => void, Code]>([
    ['resets it', (stream) => stream.close(NGHTTP2_INTERNAL_ERROR), 'unavailable'],
    ['ends it', (stream) => stream.end(), 'unavailable'],
    ['breaks its format', (stream) => stream.write(frame('')), 'invalid_argument'],
  ])('and then %s: the calls fail, and the connection is left', async (_, act, code) => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const running = at.rpc.echo(1)
    await lane.reader.answer(0)
    const left = once(at.sessions[0] as ServerHttp2Session, 'close')
    lane.write(LANE_END)
    await becomes(at.connector, 'idle')
    act(lane.stream)
    await expectStatus(running, code)
    await left
  })

  test('with each connection anew: each call has a connection of its own, which is then left', async () => {
    await using at = await misledOnLane({
      answer: (stream) => {
        stream.respond(OK)
        stream.write(LANE_END)
      },
    })
    for (let n = 0; n < 10; n++) {
      const call = at.rpc.echo(n)
      const lane = await at.lane(n)
      await lane.reader.answer(0)
      await becomes(at.connector, 'idle')
      const left = once(at.sessions[n] as ServerHttp2Session, 'close')
      lane.write(response(0, n))
      expect(await call).toBe(n)
      lane.stream.end()
      await left
    }
    expect(at.sessions).toHaveLength(10)
  })
})
