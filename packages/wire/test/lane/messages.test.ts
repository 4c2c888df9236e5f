import { type Channel, RpcError } from '@qrpc/core'
import { encodeVarint } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { lanePair, outcomeOf, requestOf } from './lane-pair.ts'
import {
  LANE_END,
  MESSAGE,
  messageBytes,
  PIECE,
  type RawStream,
  rawClient,
  rawServer,
  type SentFrame,
  START,
  signal,
} from './raw-lane.ts'

const KiB = 1024
const MiB = 1024 * KiB
const PIECE_SIZE = 16 * KiB

/** Bytes that are out of order if two of them change places. */
function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) + seed) & 0xff
  return bytes
}

/** Answers each call with its own message. */
async function echo(accept: () => Promise<Channel>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const channel = await accept()
    const { message } = (await channel.receive()) as { message: unknown }
    await channel.send(message, true)
  }
}

describe('messages of any size come as they were sent', () => {
  // Around what fits into one frame, with the headers of a request and of bytes, and without.
  const around = Array.from({ length: 12 }, (_, n) => PIECE_SIZE - 11 + n)

  test.each([
    [1, [0, 1, 100, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1]],
    [7, [...around, 100_000]],
    [64 * KiB, [...around, 64 * KiB, 2 * PIECE_SIZE + 1, MiB, 15 * MiB]],
  ])('in chunks of %d bytes', async (chunkSize, sizes) => {
    const { lane, accept, settled } = lanePair({ chunkSize })
    const messages = sizes.flatMap((size) => [pattern(size), 'x'.repeat(Math.min(size, MiB))])
    const served = echo(accept, messages.length)
    await Promise.all(
      messages.map(async (message) => {
        const channel = await lane.open({ pattern: 'unary' })
        void channel.send(requestOf(message), true)
        const response = await channel.receiveOnly()
        // A difference of megabytes would take minutes to print.
        expect(Buffer.from(response as Uint8Array).equals(Buffer.from(message as Uint8Array))).toBe(true)
      }),
    )
    await served
    await settled()
  })

  test('in one frame up to 16 KiB with the header, in pieces beyond', async () => {
    const { stream, open, format } = rawServer()
    await stream.taken()
    const request = (message: unknown): void => void (open() as Channel).send(requestOf(message), true)
    // The header takes 5 bytes, the head of these bytes 3.
    request(pattern(PIECE_SIZE - 8))
    request(pattern(PIECE_SIZE - 7))
    expect((await stream.taken()).map(({ call, kind, payload }) => [call, kind, payload?.length])).toEqual([
      [0, MESSAGE, PIECE_SIZE],
      [1, START, PIECE_SIZE],
      [1, PIECE, 5],
    ])
    const { lane, request: called, accepted } = rawClient()
    lane.push(called(0, 'x'), called(1, 'x'))
    void accepted[0]?.send(pattern(PIECE_SIZE - 3), true)
    void accepted[1]?.send(pattern(PIECE_SIZE - 2), true)
    const sent = await lane.taken()
    expect(sent.map(({ call, kind, payload }) => [call, kind, payload?.length])).toEqual([
      [0, MESSAGE, PIECE_SIZE],
      [1, START, PIECE_SIZE],
      [1, PIECE, 5],
    ])
    expect(messageBytes(format, pattern(PIECE_SIZE - 3))).toEqual(sent[0]?.payload)
  })
})

describe('the limit of messages, exactly', () => {
  const maxMessageSize = 100_000
  // The header of a request takes 5 bytes, the head of bytes this large 5.
  const FITS = maxMessageSize - 10

  test('of the client, when it sends: nothing of the call leaves, and others go on', async () => {
    const { open, accept, settled } = lanePair({ client: { maxMessageSize } })
    const served = echo(accept, 2)
    const [fits, over, other] = [open(), open(), open()]
    void fits.send(requestOf(pattern(FITS)), true)
    expect(() => over.send(requestOf(pattern(FITS + 1)), true)).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
    over.cancel(new RpcError('cancelled', 'it cannot be sent'))
    void other.send(requestOf('x'), true)
    expect(await fits.receiveOnly()).toHaveLength(FITS)
    expect(await other.receiveOnly()).toBe('x')
    await served
    await settled()
  })

  test('of the server, when it receives', async () => {
    const { open, accept, settled } = lanePair({ server: { maxMessageSize } })
    const served = echo(accept, 2)
    const channels = [pattern(FITS), pattern(FITS + 1), 'x'].map((message) => {
      const channel = open()
      void channel.send(requestOf(message), true)
      return outcomeOf(channel.receiveOnly())
    })
    const [fits, over, other] = await Promise.all(channels)
    expect(fits).toHaveLength(FITS)
    expect([over, other]).toEqual(['resource_exhausted', 'x'])
    await served
    await settled()
  })

  test('of the server, when it sends: the handler is told, and can end the call', async () => {
    const { open, accept, settled } = lanePair({ server: { maxMessageSize } })
    const calls = [FITS + 5, FITS + 6, 1].map((size) => {
      const channel = open()
      void channel.send(requestOf(size), true)
      return outcomeOf(channel.receiveOnly())
    })
    for (let n = 0; n < 3; n++) {
      const channel = await accept()
      const { message } = (await channel.receive()) as { message: number }
      try {
        await channel.send(pattern(message), true)
      } catch (error) {
        channel.end(error as RpcError)
      }
    }
    const [fits, over, other] = await Promise.all(calls)
    expect(fits).toHaveLength(FITS + 5)
    expect([over, other]).toEqual(['resource_exhausted', pattern(1)])
    await settled()
  })

  test('of the client, when it receives', async () => {
    const { open, accept, settled, told } = lanePair({ client: { maxMessageSize } })
    const closed: unknown[] = []
    const calls = [FITS + 5, FITS + 6, 1].map((size) => {
      const channel = open()
      void channel.send(requestOf(size), true)
      return outcomeOf(channel.receiveOnly())
    })
    for (let n = 0; n < 3; n++) {
      const channel = await accept()
      channel.observe({ onClose: (error) => closed.push(error?.code) })
      const { message } = (await channel.receive()) as { message: number }
      await channel.send(pattern(message), true)
    }
    const [fits, over, other] = await Promise.all(calls)
    expect(fits).toHaveLength(FITS + 5)
    expect([over, other]).toEqual(['resource_exhausted', pattern(1)])
    // It had answered all the same.
    expect(closed).toEqual([undefined, undefined, undefined])
    await settled()
    expect(told).toEqual([])
  })

  test('of small messages in one frame, beside a larger limit of the peer', async () => {
    const { open, accept, settled } = lanePair({ server: { maxMessageSize: 1000 } })
    const served = echo(accept, 2)
    const calls = [992, 993, 1].map((size) => {
      const channel = open()
      void channel.send(requestOf(pattern(size)), true)
      return outcomeOf(channel.receiveOnly())
    })
    const [fits, over, other] = await Promise.all(calls)
    expect([fits, over, other]).toEqual([pattern(992), 'resource_exhausted', pattern(1)])
    await served
    await settled()
  })
})

/** Lets the stream take one batch after the other, with something to do before each, and gives the frames of each. */
async function stepped(stream: RawStream, before: (step: number) => void): Promise<SentFrame[][]> {
  const batches: SentFrame[][] = []
  for (let step = 0; ; step++) {
    before(step)
    stream.reader?.onDrain()
    const batch = await stream.taken()
    if (batch.length === 0) return batches
    batches.push(batch)
  }
}

/** Pieces took turns: none of them is ahead by more than one. */
function expectFair(frames: readonly SentFrame[], calls: number): void {
  const pieces = Array.from({ length: calls }, () => 0)
  for (const { call, kind } of frames) {
    if (kind !== PIECE) continue
    pieces[call as number] = (pieces[call as number] as number) + 1
    expect(Math.max(...pieces) - Math.min(...pieces)).toBeLessThanOrEqual(1)
  }
  expect(pieces).toEqual(Array.from({ length: calls }, () => 64))
}

/** Each small message left with the first batch after it was sent, ahead of all pieces of that batch. */
function expectPassed(batches: readonly SentFrame[][], calls: number): void {
  for (const [step, batch] of batches.entries()) {
    const small = batch.findIndex(({ call }) => call === calls + step)
    const piece = batch.findIndex(({ kind }) => kind === PIECE)
    expect(small).toBeGreaterThanOrEqual(0)
    expect(small).toBeLessThan(piece < 0 ? batch.length : piece)
  }
}

describe('many large messages at a time take turns, and small ones pass all of them', () => {
  const calls = 8

  test('requests', async () => {
    const { stream, call } = rawServer(1000)
    stream.full = true
    for (let n = 0; n < calls; n++) call(pattern(MiB))
    const first = await stream.taken()
    const batches = await stepped(stream, (step) => {
      if (step < 40) call('small')
    })
    const frames = [...first, ...batches.flat()]
    expect(frames.filter(({ kind }) => kind === START).map((frame) => frame.call)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expectFair(frames, calls)
    expect(batches.length).toBeGreaterThan(100)
    expectPassed(batches.slice(0, 40), calls)
  })

  test('responses', async () => {
    const { lane, request, accepted } = rawClient({ maxLaneCalls: 1000 })
    lane.full = true
    for (let n = 0; n < calls; n++) {
      lane.push(request(n, 'large'))
      void accepted[n]?.send(pattern(MiB), true)
    }
    const first = await lane.taken()
    const batches = await stepped(lane, (step) => {
      if (step >= 40) return
      lane.push(request(calls + step, 'small'))
      void accepted[calls + step]?.send('small', true)
    })
    const frames = [...first, ...batches.flat()]
    expectFair(frames, calls)
    expectPassed(batches.slice(0, 40), calls)
  })

  test('one that is cancelled leaves its turns to the others, and the end waits for the last piece', async () => {
    const { lane, request, accepted, format } = rawClient()
    lane.full = true
    for (let n = 0; n < 3; n++) {
      lane.push(request(n, 'large'))
      void accepted[n]?.send(pattern(MiB), true)
    }
    lane.push(LANE_END)
    const first = await lane.taken()
    const fins: boolean[] = []
    const batches = await stepped(lane, (step) => {
      fins.push(lane.fin)
      if (step === 5) lane.push(signal(format, 1, 'cancel', new RpcError('cancelled', 'enough')))
    })
    const frames = [...first, ...batches.flat()]
    const cancelled = frames.findIndex(({ control }) => control !== undefined)
    expect(frames[cancelled]).toEqual({ call: 1, control: { kind: 'end' } })
    expect(frames.slice(cancelled).some(({ call, kind }) => call === 1 && kind === PIECE)).toBe(false)
    for (const call of [0, 2]) {
      const size = frames
        .filter((frame) => frame.call === call)
        .reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0)
      expect(size).toBe(encodeVarint(MiB + 5).length + MiB + 5)
    }
    expect(lane.fin).toBe(true)
    expect(fins.indexOf(true)).toBe(batches.length)
  })
})
