import { type Code, type ConnectionState, RpcError, type StatefulConnector } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { controlFor, LANE_END, piece, response, signalFor, start } from '../../wire/test/support/lane-bytes.ts'
import { frame, head, signal } from '../../wire/test/support/wire-bytes.ts'
import { type MisledLane, misledOnLane } from './misled-lane.ts'

const KIB = 1024
const MIB = 1024 * KIB
const BYTES = new Uint8Array(10)

describe('an offence loses the lane and fails its calls; later ones have a stream each, on the same connection', () => {
  const offences: [what: string, frames: Uint8Array[], code: Code][] = [
    ['a response to a call that was not made', [response(9, 1)], 'invalid_argument'],
    ['a response twice', [response(2, 1), response(2, 1)], 'invalid_argument'],
    ['a start twice', [start(0, 100, BYTES), start(0, 100, BYTES)], 'invalid_argument'],
    ['more bytes than announced', [start(0, 15, BYTES), piece(0, BYTES)], 'invalid_argument'],
    ['a stop for a call', [signalFor(0, 'stop', 'aborted')], 'invalid_argument'],
    ['a lane for a call', [controlFor(0, '8104')], 'invalid_argument'],
    ['an empty frame', [frame('')], 'invalid_argument'],
    ['a cancel of the stream', [signal('cancel', 'permission_denied')], 'unavailable'],
    ['garbage', [Buffer.alloc(100, 0xff)], 'resource_exhausted'],
    ['a frame beyond maxMessageSize', [head(17n * BigInt(MIB))], 'resource_exhausted'],
  ]

  test.each(offences)('%s', async (_, frames, code) => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const calls = [at.rpc.wait(), at.rpc.echo(new Uint8Array(100_000)), at.rpc.echo(2)]
    const outcomes = Promise.allSettled(calls)
    await lane.reader.until(() => lane.reader.answers.length === 3)
    lane.write(...frames)
    expect((await outcomes).slice(0, 2)).toMatchObject([{ reason: { code } }, { reason: { code } }])
    expect(await lane.closed).toBe(code)
    await at.expectStreams()
  })

  test.each<[string, (lane: MisledLane) => void, Code]>([
    ['the end of the stream', (lane) => lane.end(), 'unavailable'],
    ['a reset', (lane) => lane.stream.reset(new RpcError('data_loss', 'torn')), 'data_loss'],
  ])('%s', async (_, act, code) => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const calls = [at.rpc.echo(1), at.rpc.echo(2)] as const
    await lane.reader.until(() => lane.reader.answers.length === 2)
    lane.write(response(1, 'answered'), start(0, 100, BYTES))
    expect(await calls[1]).toBe('answered')
    act(lane)
    await expectStatus(calls[0], code)
    await at.expectStreams()
  })
})

describe('what is wrong with one response costs its call; the lane goes on', () => {
  const cases: [what: string, frames: Uint8Array[], code: Code][] = [
    ['garbage', [frame('00c3a4f6fc00de')], 'invalid_argument'],
    ['one byte over maxMessageSize', [start(0, KIB + 1, BYTES)], 'resource_exhausted'],
    ['one frame over maxMessageSize', [response(0, new Uint8Array(2 * KIB))], 'resource_exhausted'],
    ['an end', [signalFor(0, 'status')], 'unavailable'],
    ['a cancel', [signalFor(0, 'cancel', 'aborted')], 'aborted'],
    ['a reset', [signalFor(0, 'reset', 'data_loss')], 'data_loss'],
    ['half of it, and a status', [start(0, 100, BYTES), signalFor(0, 'status', 'not_found')], 'not_found'],
  ]

  test.each(cases)('%s', async (_, frames, code) => {
    await using at = await misledOnLane({ maxMessageSize: KIB })
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
    expect(at.streams).toBe(0)
  })

  test('pieces that never end: the deadline ends the call, and what still comes is dropped', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const call = at.rpc.echo(1, { timeout: 200 })
    await lane.reader.answer(0)
    lane.write(start(0, MIB, BYTES), piece(0, new Uint8Array(100_000)))
    await expectStatus(call, 'deadline_exceeded')
    await lane.reader.until(() => lane.reader.answers.length === 2)
    expect(lane.reader.answers[1]).toEqual([0, 'deadline_exceeded'])
    lane.write(piece(0, new Uint8Array(500_000)))
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
  })

  test('requests that are never read are not sent without bound, and can be given up', async () => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    lane.stream.pause()
    const controller = new AbortController()
    const large = new Uint8Array(4 * MIB)
    const calls = Array.from({ length: 20 }, () => at.rpc.echo(large, { signal: controller.signal }))
    const outcomes = Promise.allSettled(calls)
    // Streams go on meanwhile.
    const talk = at.rpc.talk()
    expect(await talk.receive()).toBe('good')
    talk.end()
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
    lane.write(response(0, 'in time'))
    expect(await running[0]).toBe('in time')
    lane.write(response(1, 'and the other'))
    expect(await running[1]).toBe('and the other')
    await at.left[0]
    expect(at.left).toHaveLength(2)
    expect(at.connector.state).toBe('ready')
  })

  test.each<[string, (lane: MisledLane) => void, Code]>([
    ['resets it', (lane) => lane.stream.reset(new RpcError('aborted', 'never mind')), 'aborted'],
    ['ends it', (lane) => lane.end(), 'unavailable'],
    ['breaks its format', (lane) => lane.write(frame('')), 'invalid_argument'],
  ])('and then %s: the calls fail, and the connection is left', async (_, act, code) => {
    await using at = await misledOnLane()
    const lane = await at.lane()
    const running = at.rpc.echo(1)
    await lane.reader.answer(0)
    lane.write(LANE_END)
    await becomes(at.connector, 'idle')
    act(lane)
    await expectStatus(running, code)
    await at.left[0]
  })

  test('with each connection anew: each call has a connection of its own, which is then left', async () => {
    await using at = await misledOnLane({ begin: (lane) => lane.write(LANE_END) })
    await becomes(at.connector, 'idle')
    await at.left[0]
    for (let n = 1; n < 5; n++) {
      const call = at.rpc.echo(n)
      const lane = await at.lane(n)
      await lane.reader.answer(0)
      await becomes(at.connector, 'idle')
      lane.write(response(0, n))
      expect(await call).toBe(n)
      await at.left[n]
    }
    expect(at.left).toHaveLength(5)
  })
})
