import { createCborCodec } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode, outcomeOf } from './expect-code.ts'
import { bytes } from './hex.ts'

const codec = createCborCodec()

// The ends of the range of ECMAScript.
const MAX_MS = 8.64e15
// Between these, in ms, seconds in a double are less than 2^-10 s exact, and ms in a double exact to 1/2.
const BAND_START = 2 ** 42 * 1000
const BAND_END = 2 ** 52

function roundTrip(ms: number): number {
  return (codec.decode(codec.encode(new Date(ms))) as Date).getTime()
}

function someMs(min: number, max: number): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min, max }), fc.integer({ min: -max, max: -min }))
}

describe('dates', () => {
  test.each<[string, fc.Arbitrary<number>]>([
    ['of our times', fc.integer({ min: -4e12, max: 4e12 })],
    ['on whole seconds', fc.integer({ min: -8.64e12, max: 8.64e12 }).map((seconds) => seconds * 1000)],
    ['up to the year 141,338', someMs(0, BAND_START - 1)],
    ['from the year 144,684', someMs(BAND_END, MAX_MS)],
  ])('%s come back exact to the ms', (_, dates) => {
    const property = fc.property(dates, (ms) => {
      // Whole seconds from the whole range also lie between the two.
      fc.pre(Math.abs(ms) < BAND_START || Math.abs(ms) >= BAND_END || ms % 1000 === 0)
      expect(roundTrip(ms)).toBe(ms)
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test.each([
    0,
    1,
    -1,
    999,
    -999,
    1000,
    -1000,
    1001,
    -1001,
    4294967295000,
    4294967295999,
    4294967296000,
    MAX_MS,
    -MAX_MS,
  ])('%d ms comes back exact', (ms) => {
    expect(roundTrip(ms)).toBe(ms)
  })

  test('are never one ms off: where seconds cannot express them, they are refused with their path', () => {
    const property = fc.property(someMs(BAND_START, BAND_END), (ms) => {
      const { value, error } = outcomeOf(() => roundTrip(ms))
      expect(error?.code ?? value).toBe(error === undefined ? ms : 'invalid_argument')
    })
    fc.assert(property, { numRuns: 2000 })
    for (const ms of [4398046548313692, -4398046511104011]) {
      const error = expectCode('invalid_argument', () => codec.encode({ at: new Date(ms) }))
      expect(error.message).toContain('message.at is a Date that is not exact to the ms')
    }
  })

  test.each([
    ['c100', 0],
    ['c11a514b67b0', 1363896240000],
    ['c120', -1000],
    ['c13903e7', -1_000_000],
    ['c13affffffff', -4294967296000],
    ['c1f93800', 500],
    ['c1f9b800', -500],
    ['c1f90000', 0],
    ['c1f98000', 0],
    ['c1fa3f000000', 500],
    ['c1fbbff8000000000000', -1500],
    ['c1fb3f50624dd2f1a9fc', 1],
    ['c1fb3f40624dd2f1a9fc', 1],
    ['c1fb3f3a36e2eb1c432d', 0],
    ['c1fb429f6ea086000000', MAX_MS],
    ['c1fbc29f6ea086000000', -MAX_MS],
  ])('%s is %d ms: seconds as integer or float, rounded to the ms', (encoded, ms) => {
    const date = codec.decode(bytes(encoded)) as Date
    expect(date.getTime()).toBe(ms)
  })

  test('from any float are valid, or refused', () => {
    const property = fc.property(fc.double(), (seconds) => {
      const encoded = bytes('c1fb0000000000000000')
      new DataView(encoded.buffer).setFloat64(2, seconds)
      const { value, error } = outcomeOf(() => codec.decode(encoded) as Date)
      expect(error?.code).toBe(Math.abs(seconds) <= 8.64e12 ? undefined : 'invalid_argument')
      if (value === undefined) return
      expect(Math.abs(value.getTime() / 1000 - seconds)).toBeLessThan(0.001)
    })
    fc.assert(property, { numRuns: 1000 })
  })
})
