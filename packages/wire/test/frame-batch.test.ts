import { COPY_LIMIT, FrameBatch, FrameReader } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode } from './expect-code.ts'
import { bytes, hex, join } from './hex.ts'

describe('FrameBatch', () => {
  test('gathers small frames in one buffer', () => {
    const batch = new FrameBatch()
    for (let n = 0; n < 100; n++) batch.add(Uint8Array.of(n, n), false, true)
    batch.add(new Uint8Array(0), true, true)
    expect(batch.size).toBe(301)
    const buffers = batch.take()
    expect(buffers).toHaveLength(1)
    expect(hex(buffers[0] as Uint8Array)).toMatch(/^040000040101.*04636301$/)
    expect(batch.size).toBe(0)
    expect(batch.take()).toEqual([])
  })

  test('lets large payloads leave as they are, in order', () => {
    const batch = new FrameBatch()
    const large = new Uint8Array(COPY_LIMIT + 1).fill(7)
    batch.add(bytes('aa'), false, true)
    batch.add(large, false, true, bytes('bb'))
    batch.add(bytes('cc'), false, true)
    const buffers = batch.take()
    expect(buffers).toHaveLength(3)
    expect(hex(buffers[0] as Uint8Array)).toBe('02aa6004bb')
    expect(buffers[1]).toBe(large)
    expect(hex(buffers[2] as Uint8Array)).toBe('02cc')
  })

  test('copies what does not stay as it is', () => {
    const batch = new FrameBatch()
    const borrowed = new Uint8Array(COPY_LIMIT * 2).fill(7)
    batch.add(borrowed, false, false)
    borrowed.fill(8)
    const whole = join(batch.take())
    expect(whole.subarray(4).every((byte) => byte === 7)).toBe(true)
  })

  test('gives buffers that later frames leave alone', () => {
    const batch = new FrameBatch()
    batch.add(bytes('aa'), false, true)
    const first = batch.take()
    for (let n = 0; n < 1000; n++) batch.add(bytes('bb'), false, true)
    batch.take()
    expect(hex(join(first))).toBe('02aa')
  })

  test('refuses a frame over the limit, and is then as it was', () => {
    const batch = new FrameBatch({ maxMessageSize: 128 })
    batch.add(bytes('aa'), false, true)
    expectCode('resource_exhausted', () => batch.add(new Uint8Array(128), false, true, bytes('bb')))
    expect(hex(join(batch.take()))).toBe('02aa')
  })

  const someFrames = fc.array(
    fc.record({
      control: fc.boolean(),
      owned: fc.boolean(),
      head: fc.uint8Array({ maxLength: 5 }),
      size: fc.oneof(fc.nat(100), fc.nat(10_000), fc.nat(100_000)),
    }),
  )

  test('what goes in comes out of the reader', () => {
    const property = fc.property(fc.array(someFrames), (turns) => {
      const batch = new FrameBatch()
      const reader = new FrameReader()
      for (const frames of turns) {
        for (const { size, control, owned, head } of frames) {
          batch.add(new Uint8Array(size).fill(size), control, owned, head)
        }
        const { size } = batch
        const whole = join(batch.take())
        expect(whole.length).toBe(size)
        reader.push(whole)
        for (const frame of frames) {
          const read = reader.next()
          expect(read?.control).toBe(frame.control)
          const expected = join([frame.head, new Uint8Array(frame.size).fill(frame.size)])
          expect(Buffer.compare(read?.payload ?? bytes(''), expected)).toBe(0)
        }
        expect(reader.next()).toBeUndefined()
      }
    })
    fc.assert(property)
  })
})
