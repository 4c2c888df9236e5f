import { type Channel, RpcError } from '@qrpc/core'
import { encodeVarint } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { frame, LANE_END, laneFrame, messageBytes, PIECE, rawServer, START, signal } from './raw-lane.ts'

const CANCELLED = new RpcError('cancelled', 'enough')

async function codeOf(outcome: Promise<unknown>): Promise<unknown> {
  return outcome.then(
    () => 'it went well',
    (error: RpcError) => error.code,
  )
}

test('begins with what makes it a lane; calls follow in the order in which they were sent', async () => {
  const { stream, call, response, lane } = rawServer()
  const calls = [call('one'), call('two')]
  const answers = Promise.all(calls.map((channel) => channel.receiveOnly()))
  expect(await stream.taken()).toMatchObject([{ control: { kind: 'lane' } }, { call: 0 }, { call: 1 }])
  expect(lane.size).toBe(2)
  stream.push(response(1, 'second'), response(0, 'first'))
  expect(await answers).toEqual(['first', 'second'])
  expect(lane.size).toBe(0)
})

test('a response in pieces is whole with its last one; others come between them', async () => {
  const { stream, call, response, format } = rawServer()
  const large = call('large').receiveOnly()
  const small = call('small').receiveOnly()
  const payload = messageBytes(format, new Uint8Array(200_000).fill(9))
  stream.push(laneFrame(0, START, encodeVarint(payload.length), payload.subarray(0, 100)), response(1, 'small'))
  expect(await small).toBe('small')
  for (let at = 100; at < payload.length; at += 16_000) {
    stream.push(laneFrame(0, PIECE, payload.subarray(at, at + 16_000)))
  }
  expect(await large).toEqual(new Uint8Array(200_000).fill(9))
})

test('a large request leaves in pieces, and small ones pass it', async () => {
  const { stream, call } = rawServer()
  stream.full = true
  call(new Uint8Array(300_000))
  const before = await stream.taken()
  call('small')
  stream.full = false
  stream.drain()
  const sent = [...before, ...(await stream.taken())]
  const kinds = sent.map(({ call: number, kind }) => `${number}:${kind}`)
  expect(kinds.indexOf('1:0')).toBe(before.length)
  expect(kinds.filter((kind) => kind === '0:2').length).toBe(18)
})

describe('cancelling', () => {
  test('tells the server in one small frame; the place is free with its answer', async () => {
    const { stream, call, lane, format } = rawServer()
    const channel = call('one')
    await stream.taken()
    channel.cancel(CANCELLED)
    expect(await codeOf(channel.receiveOnly())).toBe('cancelled')
    expect(await stream.taken()).toMatchObject([{ call: 0, control: { kind: 'cancel', error: { code: 'cancelled' } } }])
    expect(lane.size).toBe(1)
    stream.push(signal(format, 0, 'cancel'))
    expect(lane.size).toBe(0)
  })

  test('a response that crosses with it is dropped, whole or in pieces', async () => {
    const { stream, call, lane, response, format } = rawServer()
    const [one, two, three] = [call(1), call(2), call(3)] as [Channel, Channel, Channel]
    await stream.taken()
    const payload = messageBytes(format, new Uint8Array(50_000))
    const size = encodeVarint(payload.length)
    stream.push(laneFrame(1, START, size, payload.subarray(0, 10)))
    for (const channel of [one, two, three]) channel.cancel(CANCELLED)
    stream.push(
      response(0, 'late'),
      laneFrame(1, PIECE, payload.subarray(10)),
      laneFrame(2, START, size, payload.subarray(0, 20)),
      laneFrame(2, PIECE, payload.subarray(20)),
    )
    for (const channel of [one, two, three]) expect(await codeOf(channel.receiveOnly())).toBe('cancelled')
    expect(lane.size).toBe(0)
    expect(stream.resetWith).toBeUndefined()
  })

  test('of a request of which pieces wait: they are not sent', async () => {
    const { stream, call, lane } = rawServer()
    stream.full = true
    const channel = call(new Uint8Array(1_000_000))
    const before = await stream.taken()
    channel.cancel(CANCELLED)
    stream.drain()
    expect(before.length).toBeLessThan(20)
    expect(await stream.taken()).toMatchObject([{ call: 0, control: { kind: 'cancel' } }])
    expect(lane.unsent).toBe(0)
  })

  test('before the request tells nobody, and frees the place', async () => {
    const { stream, open, lane } = rawServer()
    await stream.taken()
    const channels = [open(), open(), open()] as Channel[]
    for (const channel of channels) channel.cancel(CANCELLED)
    expect(await stream.taken()).toEqual([])
    expect(lane.size).toBe(0)
  })
})

describe('limits', () => {
  test('opens beyond the calls at a time wait in line, can be aborted, and are let in in order', async () => {
    const { call, open, stream, response, lane } = rawServer(2)
    const running = [call(1), call(2)].map((channel) => channel.receiveOnly())
    const controller = new AbortController()
    const aborted = open(controller.signal)
    const next = open()
    expect(next).toBeInstanceOf(Promise)
    controller.abort()
    expect(await codeOf(aborted as Promise<Channel>)).toBe('cancelled')
    stream.push(response(0, 'done'))
    expect(await running[0]).toBe('done')
    const channel = await next
    expect(lane.size).toBe(2)
    channel.cancel(CANCELLED)
  })

  test('opens wait while 16 MiB of requests wait to be sent', async () => {
    const { call, open, stream } = rawServer()
    stream.full = true
    await stream.taken()
    const half = new Uint8Array(8 * 1024 * 1024)
    call(half)
    await stream.taken()
    call(half)
    const waiting = open()
    expect(waiting).toBeInstanceOf(Promise)
    stream.drain()
    ;(await waiting).cancel(CANCELLED)
  })

  test('a response over the limit fails its call, tells the server, and leaves the others', async () => {
    const { call, stream, response, format, lane } = rawServer(10, { maxMessageSize: 1000 })
    const whole = call(1).receiveOnly()
    const pieces = call(2).receiveOnly()
    const good = call(3).receiveOnly()
    await stream.taken()
    stream.push(laneFrame(0, 0, new Uint8Array(1001)), laneFrame(1, START, encodeVarint(1001), new Uint8Array(10)))
    expect(await codeOf(whole)).toBe('resource_exhausted')
    expect(await codeOf(pieces)).toBe('resource_exhausted')
    expect(await stream.taken()).toMatchObject([{ call: 1, control: { kind: 'cancel' } }])
    stream.push(laneFrame(1, PIECE, new Uint8Array(10)), signal(format, 1, 'cancel'), response(2, 'good'))
    expect(await good).toBe('good')
    expect(lane.size).toBe(0)
  })

  test('a request over the limit, or that does not travel, fails at send and uses up no number', async () => {
    const { call, open, stream } = rawServer(10, { maxMessageSize: 1000 })
    await stream.taken()
    expect(() => call(new Uint8Array(1001))).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
    const channel = open() as Channel
    expect(() => channel.send(() => {})).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    channel.cancel(CANCELLED)
    call('good')
    expect(await stream.taken()).toMatchObject([{ call: 0 }])
  })
})

test('a response that makes no sense costs its call and no other', async () => {
  const { call, stream, response } = rawServer()
  const bad = call(1).receiveOnly()
  const good = call(2).receiveOnly()
  stream.push(laneFrame(0, 0, Uint8Array.of(0xff)), response(1, 'good'))
  expect(await codeOf(bad)).toBe('invalid_argument')
  expect(await good).toBe('good')
})

test('a server that is about to close says so, and answers what runs', async () => {
  const { call, stream, response, told } = rawServer()
  const running = call(1).receiveOnly()
  stream.push(LANE_END)
  expect(told).toEqual(['going away'])
  stream.push(response(0, 'done'))
  expect(await running).toBe('done')
})

test('the end leaves behind the last call, and the end of the stream is then no loss', async () => {
  const { stream, lane, told } = rawServer()
  await stream.taken()
  lane.end()
  expect(await stream.taken()).toEqual([{ control: { kind: 'end' } }])
  expect(stream.fin).toBe(true)
  stream.reader?.onEnd()
  expect(told).toEqual([])
  stream.reader?.onClosed(undefined)
  expect(told).toEqual(['gone'])
})

describe('a lane that is lost takes its calls along, and no others', () => {
  const bytes = new Uint8Array(10)
  test.each<[string, string, (raw: ReturnType<typeof rawServer>) => void]>([
    ['a response nobody asked for', 'invalid_argument', ({ stream, response }) => stream.push(response(7, 'x'))],
    [
      'a response that begins twice',
      'invalid_argument',
      ({ stream }) => stream.push(laneFrame(1, START, encodeVarint(99), bytes), laneFrame(1, START, encodeVarint(99))),
    ],
    [
      'a message for a response that has begun in pieces',
      'invalid_argument',
      ({ stream, response }) => stream.push(laneFrame(1, START, encodeVarint(99), bytes), response(1, 'x')),
    ],
    ['a piece of what has not begun', 'invalid_argument', ({ stream }) => stream.push(laneFrame(1, PIECE, bytes))],
    [
      'more bytes than the start has told',
      'invalid_argument',
      ({ stream }) => stream.push(laneFrame(1, START, encodeVarint(5), bytes)),
    ],
    ['a status nobody asked for', 'invalid_argument', ({ stream, format }) => stream.push(signal(format, 9, 'status'))],
    [
      'a stop for a call',
      'invalid_argument',
      ({ stream, format }) => stream.push(signal(format, 1, 'stop', CANCELLED)),
    ],
    [
      'a lane for a call',
      'invalid_argument',
      ({ stream }) => stream.push(frame(true, encodeVarint(1), Uint8Array.of(0x81, 4))),
    ],
    [
      'control bytes that are none',
      'invalid_argument',
      ({ stream }) => stream.push(frame(true, Uint8Array.of(1, 0xff))),
    ],
    ['a kind that is none', 'invalid_argument', ({ stream }) => stream.push(laneFrame(1, 3, bytes))],
    ['a frame without a tag', 'invalid_argument', ({ stream }) => stream.push(frame(false))],
    ['garbage', 'resource_exhausted', ({ stream }) => stream.push(new Uint8Array(50).fill(0xff))],
    ['the end of the stream', 'unavailable', ({ stream }) => stream.reader?.onEnd()],
    [
      'the loss of the connection',
      'aborted',
      ({ stream }) => stream.reader?.onClosed(new RpcError('aborted', 'a reset of the peer')),
    ],
  ])('%s', async (_, code, strike) => {
    const raw = rawServer(4)
    const { call, open, told, lane } = raw
    const first = call(1).receiveOnly()
    const second = call(2).receiveOnly()
    const idle = [open(), open()] as Channel[]
    const idleOutcomes = idle.map((channel) => codeOf(channel.receiveOnly()))
    const waiting = open()
    const outcomes = [codeOf(first), codeOf(second)]
    strike(raw)
    expect(await outcomes[1]).toBe(code)
    expect(await Promise.all(idleOutcomes)).toEqual([code, code])
    expect(told.filter((what) => what !== 'over')).toEqual(['gone', 'elsewhere'])
    await expect(waiting).rejects.toThrow('elsewhere')
    expect(lane.carries({ pattern: 'unary' })).toBe(false)
    expect(lane.size).toBe(0)
    expect(() => idle[0]?.send(1)).toThrow(expect.objectContaining({ code }))
  })
})

test('a stream that is lost while requests leave takes all their calls along', async () => {
  const { call, stream } = rawServer()
  await stream.taken()
  stream.write = () => {
    stream.reader?.onClosed(new RpcError('unavailable', 'lost in the write'))
    return true
  }
  // So much that the last one has all of them flushed at once.
  const calls = Array.from({ length: 5 }, () => call(new Uint8Array(16_000)))
  expect(await Promise.all(calls.map((channel) => codeOf(channel.receiveOnly())))).toEqual(
    Array.from({ length: 5 }, () => 'unavailable'),
  )
})

test('a server that answers before it has read the request is sent no more of it', async () => {
  const { call, stream, response, lane } = rawServer()
  stream.full = true
  const early = call(new Uint8Array(1_000_000)).receiveOnly()
  await stream.taken()
  stream.push(response(0, 'early'))
  expect(await early).toBe('early')
  stream.drain()
  expect(await stream.taken()).toEqual([])
  expect([lane.size, lane.unsent]).toEqual([0, 0])
})

test('a response that comes twice costs the lane', async () => {
  const { call, stream, response } = rawServer()
  const outcomes = [call(1), call(2)].map((channel) => codeOf(channel.receiveOnly()))
  stream.push(response(0, 'x'), response(0, 'x'))
  expect(await Promise.all(outcomes)).toEqual(['it went well', 'invalid_argument'])
  expect(stream.resetWith?.code).toBe('invalid_argument')
})

test('it carries calls of one message each way, and no others', () => {
  const { lane } = rawServer()
  const carried = ['unary', 'notify', 'clientStreaming', 'serverStreaming', 'bidiStreaming', undefined] as const
  expect(carried.map((pattern) => lane.carries({ pattern }))).toEqual([true, true, false, false, false, false])
})
