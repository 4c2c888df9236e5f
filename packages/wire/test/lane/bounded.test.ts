import type { Channel } from '@qrpc/core'
import { RpcError } from '@qrpc/core'
import { encodeVarint } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { LANE_END, laneFrame, MESSAGE, PIECE, rawClient, rawServer, START, signal } from './raw-lane.ts'

const MiB = 1024 * 1024
const CANCELLED = new RpcError('cancelled', 'enough')

/** Bytes of buffers that are in use. */
async function buffers(): Promise<number> {
  globalThis.gc?.()
  await new Promise(setImmediate)
  return process.memoryUsage().arrayBuffers
}

/** Waits, but not for ever, until buffers that nobody uses are given back. */
async function expectBuffersBelow(bound: number): Promise<void> {
  let used = await buffers()
  for (let n = 0; n < 50 && used >= bound; n++) used = await buffers()
  expect(used).toBeLessThan(bound)
}

describe('what a client leaves unread costs it its lane, however small it is', () => {
  const maxConnectionBuffer = 100_000

  test.each<[string, (raw: ReturnType<typeof rawClient>, call: number) => void]>([
    [
      'responses',
      ({ lane, request, accepted }, call) => {
        lane.push(request(call, 'x'))
        void (accepted[call] as Channel).send('a response of some length', true)
      },
    ],
    [
      'errors',
      ({ lane, request, accepted }, call) => {
        lane.push(request(call, 'x'))
        ;(accepted[call] as Channel).end(new RpcError('aborted', 'an error of some length'))
      },
    ],
    ['refusals of what makes no sense', ({ lane }, call) => lane.push(laneFrame(call, MESSAGE, Uint8Array.of(0xff)))],
    [
      'refusals of what is too large',
      ({ lane }, call) => lane.push(laneFrame(call, START, encodeVarint(2 ** 40), new Uint8Array(1))),
    ],
    [
      'answers to cancels',
      ({ lane, format }, call) =>
        lane.push(
          laneFrame(call, START, encodeVarint(100), new Uint8Array(1)),
          signal(format, call, 'cancel', CANCELLED),
        ),
    ],
  ])('%s', async (_, strike) => {
    const raw = rawClient({ maxConnectionBuffer })
    raw.lane.full = true
    // The first one fills the stream.
    strike(raw, 0)
    await raw.lane.taken()
    let call = 1
    for (; raw.lane.resetWith === undefined && call < maxConnectionBuffer; call++) {
      strike(raw, call)
      await Promise.resolve()
    }
    expect(raw.lane.resetWith?.code).toBe('resource_exhausted')
    expect(await raw.lane.taken()).toEqual([])
    expect(raw.table.size).toBe(0)
  })
})

test('one who reads may get any number of responses', async () => {
  const { lane, request, accepted } = rawClient({ maxConnectionBuffer: 10_000 })
  for (let call = 0; call < 1000; call++) {
    lane.push(request(call, 'x'))
    void accepted[call]?.send('a response of some length', true)
    if (call % 100 === 99) await lane.taken()
  }
  expect(lane.resetWith).toBeUndefined()
})

test('responses that were cancelled while they waited are let go of', async () => {
  const before = await buffers()
  const { lane, request, accepted, format, table } = rawClient()
  lane.full = true
  for (let call = 0; call < 40; call++) {
    lane.push(request(call, 'large'))
    void accepted[call]?.send(new Uint8Array(8 * MiB), true)
    await lane.taken()
    lane.push(signal(format, call, 'cancel', CANCELLED))
  }
  await expectBuffersBelow(before + 64 * MiB)
  expect(table.size).toBe(0)
  expect(lane.resetWith).toBeUndefined()
})

test('requests that were cancelled while they waited, or have left, are let go of', async () => {
  const before = await buffers()
  const { stream, call, lane } = rawServer(100)
  stream.full = true
  for (let n = 0; n < 20; n++) {
    const channel = call(new Uint8Array(8 * MiB))
    await stream.taken()
    channel.cancel(CANCELLED)
  }
  await expectBuffersBelow(before + 64 * MiB)
  stream.drain()
  const running: Channel[] = []
  for (let n = 0; n < 10; n++) {
    running.push(call(new Uint8Array(8 * MiB)))
    await stream.taken()
  }
  expect(lane.unsent).toBe(0)
  await expectBuffersBelow(before + 64 * MiB)
  for (const channel of running) channel.cancel(CANCELLED)
})

test('requests that have begun keep what has arrived of them, and not what they announce', async () => {
  const before = await buffers()
  const { lane, table } = rawClient({ maxLaneCalls: 1000 })
  for (let call = 0; call < 500; call++) lane.push(laneFrame(call, START, encodeVarint(15 * MiB), new Uint8Array(10)))
  expect(table.size).toBe(500)
  await expectBuffersBelow(before + 64 * MiB)
  table.lose(new RpcError('unavailable', 'the end of the test'))
})

test('of requests that are not whole as many are let go of as keep too much together', async () => {
  const { lane, table, request, accepted } = rawClient({
    maxConnectionBuffer: MiB,
    maxLaneCalls: 100,
    closeTimeoutMs: 20,
    firstFrameTimeoutMs: 1_000_000,
  })
  const size = encodeVarint(500_000)
  for (let call = 0; call < 8; call++) {
    lane.push(laneFrame(call, START, size), laneFrame(call, PIECE, new Uint8Array(200_000)))
  }
  lane.push(request(8, 'good'))
  let sent = await lane.taken()
  while (sent.length === 0) sent = await lane.taken()
  expect(sent).toMatchObject(
    Array.from({ length: 6 }, (_, call) => ({
      call,
      control: { kind: 'cancel', error: { code: 'resource_exhausted' } },
    })),
  )
  expect(table.size).toBe(3)
  expect(table.kept).toBeLessThan(MiB)
  accepted[0]?.end()
})

test('a lane that its client has ended is over although a request never becomes whole', async () => {
  for (const give of ['cancelled', 'in vain'] as const) {
    const { lane, format } = rawClient({ firstFrameTimeoutMs: 20, closeTimeoutMs: 20 })
    lane.push(laneFrame(0, START, encodeVarint(100), new Uint8Array(1)), LANE_END)
    await lane.taken()
    if (give === 'cancelled') lane.push(signal(format, 0, 'cancel', CANCELLED))
    while (!lane.fin) await lane.taken()
    expect(lane.resetWith).toBeUndefined()
  }
})
