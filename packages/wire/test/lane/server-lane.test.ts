import { type Channel, RpcError } from '@qrpc/core'
import { encodeVarint } from '@qrpc/wire'
import { describe, expect, test, vi } from 'vitest'
import {
  frame,
  LANE,
  LANE_END,
  laneFrame,
  MESSAGE,
  messageBytes,
  PIECE,
  rawClient,
  requestBytes,
  START,
  signal,
} from './raw-lane.ts'

// [3, "aborted", ""]
const STOP = Buffer.from('83036761626f7274656460', 'hex')

const CANCELLED = new RpcError('cancelled', 'enough')

async function answered(channel: Channel | undefined, message: unknown): Promise<void> {
  await channel?.receive()
  void channel?.send(message, true)
}

test('calls are accepted as they begin, and answered in any order', async () => {
  const { lane, request, accepted, format, table } = rawClient()
  lane.push(request(0, 'one'), request(1, 'two'))
  expect(accepted.map((channel) => channel.receive())).toMatchObject([{ message: 'one' }, { message: 'two' }])
  expect(table.size).toBe(2)
  await answered(accepted[1], 2)
  accepted[0]?.end()
  expect(await lane.taken()).toEqual([
    { call: 1, kind: MESSAGE, payload: messageBytes(format, 2) },
    { call: 0, control: { kind: 'end' } },
  ])
  expect(table.size).toBe(0)
})

test('what is answered in one turn leaves in one write', async () => {
  const { lane, request, accepted } = rawClient()
  lane.push(request(0, 1), request(1, 2), request(2, 3))
  const write = vi.spyOn(lane, 'write')
  for (const channel of accepted) void channel.send('done', true)
  expect(await lane.taken()).toHaveLength(3)
  expect(write).toHaveBeenCalledTimes(1)
})

test('a request in pieces is whole with its last one, in whatever chunks', async () => {
  const { lane, accepted, format, request } = rawClient()
  const payload = requestBytes(format, new Uint8Array(100_000).fill(7))
  const size = encodeVarint(payload.length)
  const frames = [
    laneFrame(0, START, size, payload.subarray(0, 10)),
    request(1, 'small'),
    laneFrame(0, PIECE, payload.subarray(10, 70_000)),
    laneFrame(0, PIECE, payload.subarray(70_000)),
  ]
  for (const bytes of frames) for (let at = 0; at < bytes.length; at += 999) lane.push(bytes.subarray(at, at + 999))
  const [small, large] = accepted.map((channel) => channel.receive() as { message: unknown })
  expect(small?.message).toBe('small')
  expect(large?.message).toEqual(new Uint8Array(100_000).fill(7))
})

test('a large response leaves in pieces, between which the others find room', async () => {
  const { lane, request, accepted } = rawClient()
  lane.push(request(0, 'large'), request(1, 'large'), request(2, 'small'))
  lane.full = true
  void accepted[0]?.send(new Uint8Array(50_000), true)
  void accepted[1]?.send(new Uint8Array(50_000), true)
  // What has filled the stream is all that a small one waits for.
  const before = await lane.taken()
  void accepted[2]?.send('small', true)
  lane.drain()
  const calls = [...before, ...(await lane.taken())].map(({ call, kind }) => [call, kind])
  expect(calls.slice(0, 2)).toEqual([
    [0, START],
    [1, START],
  ])
  expect(calls.filter(([, kind]) => kind === PIECE).map(([call]) => call)).toEqual([0, 1, 0, 1, 0, 1])
  expect(calls.findIndex(([call]) => call === 2)).toBe(before.length)
})

test('a response that nobody waits for any more leaves no further pieces, and its place is free', async () => {
  const { lane, request, accepted, format, table } = rawClient()
  lane.push(request(0, 'large'))
  lane.full = true
  void accepted[0]?.send(new Uint8Array(500_000), true)
  await lane.taken()
  expect(table.size).toBe(1)
  lane.push(signal(format, 0, 'cancel', CANCELLED))
  lane.drain()
  expect(await lane.taken()).toEqual([{ call: 0, control: { kind: 'end' } }])
  expect(table.size).toBe(0)
})

test('a cancel stops the handler and is answered; one that crosses with the answer is not', async () => {
  const { lane, request, accepted, format } = rawClient()
  lane.push(request(0, 1), request(1, 2))
  const closed: unknown[] = []
  for (const channel of accepted) channel.observe({ onClose: (error) => closed.push(error?.code) })
  await answered(accepted[0], 'done')
  lane.push(signal(format, 0, 'cancel', CANCELLED), signal(format, 1, 'cancel', CANCELLED))
  expect(closed).toEqual([undefined, 'cancelled'])
  expect(() => accepted[1]?.send(1, true)).toThrow('enough')
  expect(await lane.taken()).toMatchObject([
    { call: 0, kind: MESSAGE },
    { call: 1, control: { kind: 'end' } },
  ])
})

test('a cancel of a request that is not whole is answered, and its further pieces are left', async () => {
  const { lane, accepted, format, request, table } = rawClient()
  lane.push(laneFrame(0, START, encodeVarint(1000), new Uint8Array(10)), signal(format, 0, 'cancel', CANCELLED))
  expect(await lane.taken()).toEqual([{ call: 0, control: { kind: 'end' } }])
  lane.push(laneFrame(0, PIECE, new Uint8Array(10)), request(1, 'next'))
  expect(accepted.map((channel) => channel.receive())).toMatchObject([{ message: 'next' }])
  expect(table.size).toBe(1)
})

test('what is sent by hand: a message and its end, one more, an error, nothing', async () => {
  const { lane, request, accepted } = rawClient()
  lane.push(...[0, 1, 2, 3, 4].map((call) => request(call, call)))
  const [one, two, failed, none, broken] = accepted
  void one?.send('only')
  one?.end()
  void two?.send(1)
  void two?.send(2)
  void failed?.send('lost')
  failed?.end(new RpcError('not_found', 'no'))
  none?.end()
  expect(() => broken?.send(() => {})).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  broken?.reset(new RpcError('aborted', 'never mind'))
  const sent = await lane.taken()
  expect(sent).toMatchObject([
    { call: 0, kind: MESSAGE },
    { call: 1, control: { kind: 'status', error: { code: 'internal' } } },
    { call: 2, control: { kind: 'status', error: { code: 'not_found' } } },
    { call: 3, control: { kind: 'end' } },
    { call: 4, control: { kind: 'reset', error: { code: 'aborted' } } },
  ])
})

describe('the limit of messages', () => {
  test('holds for a message as it does for one in pieces, and costs its call and no other', async () => {
    const { lane, request, accepted, format } = rawClient({ maxMessageSize: 20_000 })
    const fits = requestBytes(format, new Uint8Array(19_992))
    const tooLarge = new Uint8Array(20_001)
    expect(fits).toHaveLength(20_000)
    lane.push(
      laneFrame(0, MESSAGE, fits),
      laneFrame(1, MESSAGE, tooLarge),
      laneFrame(2, START, encodeVarint(20_001), new Uint8Array(1)),
      laneFrame(2, PIECE, new Uint8Array(100)),
      laneFrame(3, START, encodeVarint(2 ** 50), new Uint8Array(1)),
      request(4, 'good'),
    )
    expect(accepted).toHaveLength(2)
    expect(await lane.taken()).toMatchObject(
      [1, 2, 3].map((call) => ({ call, control: { kind: 'cancel', error: { code: 'resource_exhausted' } } })),
    )
    expect(lane.resetWith).toBeUndefined()
  })

  test('a request that makes no sense costs its call and no other', async () => {
    const { lane, request, accepted } = rawClient()
    lane.push(
      laneFrame(0, MESSAGE, Uint8Array.of(0xff)),
      laneFrame(1, MESSAGE),
      laneFrame(2, MESSAGE, Uint8Array.of(0x81, 0x63, 0x61)),
      request(3, 'good'),
    )
    expect(await lane.taken()).toMatchObject(
      [0, 1, 2].map((call) => ({ call, control: { kind: 'cancel', error: { code: 'invalid_argument' } } })),
    )
    expect(accepted).toHaveLength(1)
  })
})

describe('a client that does not keep to the rules loses its lane, and its calls are cut off', () => {
  const bytes = new Uint8Array(10)
  test.each<[string, string, (raw: ReturnType<typeof rawClient>) => Uint8Array[]]>([
    ['a number that is not the next', 'invalid_argument', ({ request }) => [request(2, 'x')]],
    ['a number twice', 'invalid_argument', ({ request }) => [request(0, 'x')]],
    ['a number twice, in pieces', 'invalid_argument', () => [laneFrame(0, START, encodeVarint(100), bytes)]],
    ['a piece for a call that has begun whole', 'invalid_argument', () => [laneFrame(0, PIECE, bytes)]],
    ['a piece for a call that has not begun', 'invalid_argument', () => [laneFrame(5, PIECE, bytes)]],
    [
      'a message for a call that has begun in pieces',
      'invalid_argument',
      ({ request }) => [laneFrame(1, START, encodeVarint(100), bytes), request(1, 'x')],
    ],
    [
      'more bytes than the start has told',
      'invalid_argument',
      () => [laneFrame(1, START, encodeVarint(15), bytes), laneFrame(1, PIECE, bytes)],
    ],
    ['a kind that is none', 'invalid_argument', () => [laneFrame(1, 3, bytes)]],
    ['a frame without a tag', 'invalid_argument', () => [frame(false)]],
    ['a tag that is cut off', 'invalid_argument', () => [frame(false, Uint8Array.of(0xc0))]],
    ['a size that is cut off', 'invalid_argument', () => [laneFrame(1, START, Uint8Array.of(0x80))]],
    ['a cancel for what has not begun', 'invalid_argument', ({ format }) => [signal(format, 1, 'cancel', CANCELLED)]],
    ['an end for a call', 'invalid_argument', ({ format }) => [signal(format, 0, 'status')]],
    ['a status for a call', 'invalid_argument', ({ format }) => [signal(format, 0, 'status', CANCELLED)]],
    ['a lane in the lane', 'invalid_argument', () => [LANE]],
    ['control bytes that are none', 'invalid_argument', () => [frame(true, Uint8Array.of(0, 0xff))]],
    ['a call behind the end of the lane', 'invalid_argument', ({ request }) => [LANE_END, request(1, 'x')]],
    [
      'more calls than agreed',
      'resource_exhausted',
      ({ request }) => Array.from({ length: 10 }, (_, n) => request(n + 1, n)),
    ],
    ['a frame beyond all limits', 'resource_exhausted', () => [Uint8Array.of(0xc0, 0, 0, 0, 0x10, 0, 0, 0)]],
  ])('%s', (_, code, frames) => {
    const raw = rawClient()
    const { lane, request, accepted, table } = raw
    lane.push(request(0, 'first'))
    const closed: unknown[] = []
    accepted[0]?.observe({ onClose: (error) => closed.push(error?.code) })
    lane.push(...frames(raw))
    expect(lane.resetWith?.code).toBe(code)
    expect(closed).toEqual([code])
    expect(() => accepted[0]?.send(1, true)).toThrow(expect.objectContaining({ code }))
    expect(table.size).toBe(0)
  })

  test('the end of the stream without the end of the lane', () => {
    const { lane, request, accepted } = rawClient()
    lane.push(request(0, 'first'))
    const closed: unknown[] = []
    accepted[0]?.observe({ onClose: (error) => closed.push(error?.code) })
    lane.reader?.onEnd()
    expect(lane.resetWith?.code).toBe('unavailable')
    expect(closed).toEqual(['unavailable'])
  })
})

test('of responses that a client leaves unread those are given up that keep too much', async () => {
  const { lane, request, accepted, table } = rawClient({ maxConnectionBuffer: 200_000 })
  lane.push(request(0, 0), request(1, 1), request(2, 2))
  lane.full = true
  void accepted[0]?.send(new Uint8Array(150_000), true)
  await new Promise(setImmediate)
  expect(table.kept).toBeGreaterThan(70_000)
  void accepted[1]?.send(new Uint8Array(160_000), true)
  await new Promise(setImmediate)
  expect(table.kept).toBeLessThan(200_000)
  void accepted[2]?.send('small', true)
  lane.drain()
  const sent = await lane.taken()
  const errors = sent.flatMap(({ call, control }) => (control?.kind === 'cancel' ? [[call, control.error.code]] : []))
  expect(errors).toEqual([[1, 'resource_exhausted']])
  const received = (number: number): number =>
    sent.reduce((sum, { call, payload }) => sum + (call === number ? (payload?.length ?? 0) : 0), 0)
  expect(received(0)).toBeGreaterThan(150_000)
  expect(received(2)).toBeGreaterThan(0)
  expect(table.kept).toBe(0)
})

describe('the end', () => {
  test('is answered behind the last response', async () => {
    const { lane, request, accepted } = rawClient()
    lane.push(request(0, 'first'), LANE_END)
    await lane.taken()
    expect(lane.fin).toBe(false)
    void accepted[0]?.send('done', true)
    await lane.taken()
    expect(lane.fin).toBe(true)
  })

  test('the client is asked for no more, what comes all the same is answered, and the table waits for its end', async () => {
    const { lane, request, accepted, table } = rawClient()
    expect(table.goAway()).toBe(true)
    expect(await lane.taken()).toEqual([{ control: { kind: 'end' } }])
    let drained = false
    const draining = table.drain(60_000).then(() => {
      drained = true
    })
    lane.push(request(0, 'crossed'))
    await answered(accepted[0], 'served')
    expect(await lane.taken()).toMatchObject([{ call: 0, kind: MESSAGE }])
    expect(drained).toBe(false)
    lane.push(LANE_END)
    await lane.taken()
    lane.reader?.onClosed(undefined)
    await draining
  })

  test('what is cut off is told, and so are calls that come later', async () => {
    const { lane, request, accepted, table } = rawClient()
    const error = new RpcError('unavailable', 'closed')
    lane.push(request(0, 'first'), laneFrame(1, START, encodeVarint(100), new Uint8Array(1)))
    const closed: unknown[] = []
    accepted[0]?.observe({ onClose: (reason) => closed.push(reason) })
    table.sever(error, error)
    lane.push(request(2, 'late'))
    expect(closed).toEqual([error])
    expect(await lane.taken()).toMatchObject(
      [0, 1, 2].map((call) => ({ call, control: { kind: 'cancel', error: { code: 'unavailable' } } })),
    )
    expect(accepted).toHaveLength(1)
  })
})

test('a request of which pieces are missing fails in time, and others go on', async () => {
  const { lane, request, accepted } = rawClient({ firstFrameTimeoutMs: 20, closeTimeoutMs: 20 })
  lane.push(laneFrame(0, START, encodeVarint(100), new Uint8Array(1)), request(1, 'good'))
  let sent = await lane.taken()
  while (sent.length === 0) sent = await lane.taken()
  expect(sent).toMatchObject([{ call: 0, control: { kind: 'cancel', error: { code: 'deadline_exceeded' } } }])
  expect(accepted).toHaveLength(1)
  accepted[0]?.end()
})

describe('what cannot be a lane', () => {
  test.each([
    ['a second one', {}, undefined, [LANE]],
    ['one where there are none', { maxLaneCalls: 0 }, undefined, [LANE]],
    ['a stream for a method', {}, 'a/b', [LANE]],
    ['a stream with a request', {}, undefined, [frame(false, Uint8Array.of(0xf6, 1)), LANE]],
    ['a stream with an end', {}, undefined, [LANE_END, LANE]],
    ['a stream that was stopped', {}, undefined, [frame(true, STOP), LANE]],
  ])('%s', async (what, options, method, frames) => {
    const { open, table, lane } = rawClient(options)
    // A lane that is there would rule it out by itself.
    if (!['a second one', 'one where there are none'].includes(what)) lane.reader?.onClosed(undefined)
    const before = table.size
    const stream = open(method)
    stream.plain = true
    stream.push(...frames)
    expect(await stream.taken()).toMatchObject([{ control: { kind: 'cancel', error: { code: 'invalid_argument' } } }])
    stream.reader?.onClosed(undefined)
    expect(table.size).toBe(before)
  })
})
