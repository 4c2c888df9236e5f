import { encodeVarint, type Frame, FrameBatch, FrameReader } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode, outcomeOf } from './expect-code.ts'
import { bytes, join } from './hex.ts'

function readAll(reader: FrameReader, chunks: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  }
  return frames
}

function encode(frames: readonly Frame[]): Uint8Array {
  const batch = new FrameBatch()
  for (const { payload, control } of frames) batch.add(payload, control, false)
  return join(batch.take())
}

const someFrames = fc.array(
  fc.record({ control: fc.boolean(), payload: fc.uint8Array({ size: 'large', maxLength: 300 }) }),
  { maxLength: 20 },
)

describe('FrameReader', () => {
  test('gives payloads as views on the chunk where they lie in one piece', () => {
    const chunk = bytes('06 010203 01')
    const reader = new FrameReader()
    const frames = readAll(reader, [chunk])
    expect(frames).toEqual([
      { control: false, payload: bytes('010203') },
      { control: true, payload: bytes('') },
    ])
    expect(frames[0]?.payload.buffer).toBe(chunk.buffer)
    expect(reader.partial).toBe(false)
  })

  test('gives plain Uint8Arrays of a Buffer', () => {
    const [frame] = readAll(new FrameReader(), [Buffer.from('06010203', 'hex')])
    expect(frame?.payload.constructor).toBe(Uint8Array)
  })

  test('copies a payload in several pieces into a buffer of its exact size', () => {
    const reader = new FrameReader()
    const [frame] = readAll(reader, [bytes('0601'), bytes('02'), bytes('03')])
    expect(frame?.payload).toEqual(bytes('010203'))
    expect(frame?.payload.buffer.byteLength).toBe(3)
    expect(reader.held).toBe(0)
  })

  test('gives the frames of every splitting in two and three', () => {
    const frames: Frame[] = [
      { control: false, payload: new Uint8Array(70).fill(7) },
      { control: false, payload: bytes('') },
      { control: true, payload: bytes('0102') },
      { control: true, payload: bytes('') },
    ]
    const whole = encode(frames)
    for (let i = 0; i <= whole.length; i++) {
      for (let j = i; j <= whole.length; j++) {
        const chunks = [whole.subarray(0, i), whole.subarray(i, j), whole.subarray(j)]
        expect(readAll(new FrameReader(), chunks)).toEqual(frames)
      }
    }
  })

  test('gives the same frames whatever the chunks', () => {
    const someSizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 })
    const property = fc.property(someFrames, someSizes, (frames, sizes) => {
      const whole = encode(frames)
      const chunks: Uint8Array[] = []
      for (let at = 0, i = 0; at < whole.length; i++) {
        const size = sizes[i % sizes.length] as number
        chunks.push(whole.slice(at, at + size))
        at += size
      }
      const reader = new FrameReader()
      expect(readAll(reader, chunks)).toEqual(frames)
      expect(reader.partial).toBe(false)
      expect(
        readAll(
          new FrameReader(),
          [...whole].map((byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(frames)
    })
    fc.assert(property)
  })

  test('gives the same frames when it is written to directly wherever it has space', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 })
    fc.assert(
      fc.property(someFrames, sizes, (frames, steps) => {
        const encoded = encode(frames)
        const reader = new FrameReader()
        const read: Frame[] = []
        for (let offset = 0, step = 0; offset < encoded.length; step++) {
          const chunk = encoded.subarray(offset, offset + (steps[step % steps.length] as number))
          const { space } = reader
          const size = space === undefined ? chunk.length : Math.min(chunk.length, space.length)
          if (space === undefined) reader.push(chunk)
          else {
            space.set(chunk.subarray(0, size))
            reader.filled(size)
          }
          offset += size
          for (let frame = reader.next(); frame !== undefined; frame = reader.next()) read.push(frame)
        }
        expect(read).toEqual(frames)
        expect(reader.partial).toBe(false)
      }),
    )
  })

  test('has space only within a payload, and grows it for one that is longer than what it reserves', () => {
    const size = 300_000
    const reader = new FrameReader()
    expect(reader.space).toBeUndefined()
    reader.push(encodeVarint(size * 2))
    expect(reader.next()).toBeUndefined()
    expect(reader.space).toBeUndefined()
    reader.push(new Uint8Array([1]))
    let received = 1
    let frame = reader.next()
    for (; frame === undefined; frame = reader.next()) {
      const space = reader.space as Uint8Array
      expect(space.length).toBeGreaterThan(0)
      received += space.length
      expect(received).toBeLessThanOrEqual(size)
      reader.filled(space.fill(1).length)
    }
    expect(frame.payload).toEqual(new Uint8Array(size).fill(1))
    expect(reader.space).toBeUndefined()
  })

  test('throws nothing but RpcErrors for random bytes', () => {
    const property = fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const reader = new FrameReader({ maxMessageSize: 1000 })
      const { error } = outcomeOf(() => readAll(reader, chunks))
      expect([undefined, 'resource_exhausted']).toContain(error?.code)
      expect(reader.held).toBeLessThanOrEqual(1000)
      if (error === undefined) return
      expect(expectCode('resource_exhausted', () => reader.next())).toBe(error)
    })
    fc.assert(property)
  })

  test.each([[2 ** 24 + 1], [2 ** 32], [2 ** 52 - 1]])('refuses a length of %d as soon as it is read', (length) => {
    const reader = new FrameReader()
    reader.push(encodeVarint(length * 2))
    expectCode('resource_exhausted', () => reader.next())
    expect(reader.held).toBe(0)
  })

  test('refuses lengths beyond the safe integers', () => {
    const reader = new FrameReader({ maxMessageSize: 2 ** 32 })
    reader.push(bytes('ffffffffffffffff'))
    expectCode('resource_exhausted', () => reader.next())
  })

  test('reads a length just at the limit', () => {
    const reader = new FrameReader({ maxMessageSize: 200 })
    expect(readAll(reader, [encodeVarint(400), new Uint8Array(200)])).toHaveLength(1)
  })

  test('holds at most 65 KiB or twice what has arrived', () => {
    const reader = new FrameReader()
    reader.push(encodeVarint(2 * 2 ** 24))
    expect(reader.next()).toBeUndefined()
    expect(reader.held).toBe(0)
    const chunk = new Uint8Array(1000)
    let frame: Frame | undefined
    for (let arrived = 0; arrived < 2 ** 24; arrived += chunk.length) {
      reader.push(chunk)
      frame = reader.next()
      expect(reader.held).toBeLessThanOrEqual(Math.max(65 * 1024, 2 * (arrived + chunk.length)))
    }
    expect(frame?.payload.buffer.byteLength).toBe(2 ** 24)
  })

  test.each(['44', '4402', '06', '0601'])('tells that the frame that begins with %s is cut off', (start) => {
    const reader = new FrameReader()
    readAll(reader, [bytes(start)])
    expect(reader.partial).toBe(true)
  })

  test('takes a chunk only after the one before it', () => {
    const reader = new FrameReader()
    reader.push(bytes('0101'))
    reader.next()
    expectCode('failed_precondition', () => reader.push(bytes('01')))
  })

  test.each([0, 127, 2 ** 33, Number.NaN])('refuses a maxMessageSize of %d', (maxMessageSize) => {
    expectCode('invalid_argument', () => new FrameReader({ maxMessageSize }))
  })
})
