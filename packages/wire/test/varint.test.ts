import { decodeVarint, encodeVarint, MAX_VARINT } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode } from './expect-code.ts'
import { bytes, hex } from './hex.ts'

describe('varint', () => {
  // RFC 9000, appendix A.1
  test.each([
    ['c2197c5eff14e88c', 151288809941952652n],
    ['9d7f3e7d', 494878333],
    ['7bbd', 15293],
    ['25', 37],
  ])('%s is %d', (encoded, value) => {
    expect(decodeVarint(bytes(encoded))).toEqual({ value, size: encoded.length / 2 })
    expect(hex(encodeVarint(value))).toBe(encoded)
  })

  test('reads longer forms than the shortest', () => {
    expect(decodeVarint(bytes('4025'))).toEqual({ value: 37, size: 2 })
    expect(decodeVarint(bytes('c000000000000025'))).toEqual({ value: 37, size: 8 })
  })

  test.each([0, 63, 64, 16383, 16384, 2 ** 30 - 1, 2 ** 30, 2 ** 32, 2 ** 53 - 1, 2n ** 53n, MAX_VARINT])(
    '%d comes back',
    (value) => {
      const encoded = encodeVarint(value)
      expect(decodeVarint(encoded)).toEqual({ value, size: encoded.length })
      expect(decodeVarint(encoded.subarray(0, -1))).toBeUndefined()
    },
  )

  test.each([-1, 0.5, Number.NaN, 2 ** 53, -1n, MAX_VARINT + 1n])('refuses %d', (value) => {
    expectCode('out_of_range', () => encodeVarint(value))
  })

  test('any number comes back, whatever follows', () => {
    const property = fc.property(fc.maxSafeNat(), fc.uint8Array(), (value, rest) => {
      const encoded = encodeVarint(value)
      expect(decodeVarint(new Uint8Array([...encoded, ...rest]))).toEqual({ value, size: encoded.length })
    })
    fc.assert(property)
  })
})
