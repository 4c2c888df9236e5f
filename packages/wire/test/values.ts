import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect } from 'vitest'

const MAX_BIGNUM = 1n << 2048n

const typedArrays = fc.oneof(
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.int8Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
)

const text = fc.string({ unit: 'binary' }).filter((value) => !/\p{Surrogate}/u.test(value))
const key = fc.oneof(fc.string(), text, fc.constantFrom('constructor', 'hasOwnProperty', 'toString', 'toJSON', '1'))
const date = fc.oneof(
  fc.date({ noInvalidDate: true, min: new Date(-2e15), max: new Date(2e15) }),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
)

/** Every kind of value that travels, nested. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer(),
    fc.double(),
    fc.float(),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, 2 ** 32 - 1, 2 ** 32, -(2 ** 31) - 1, -(2 ** 32), -(2 ** 32) - 1),
    fc.bigInt({ min: -MAX_BIGNUM, max: MAX_BIGNUM - 1n }),
    fc.bigInt({ min: -(1n << 65n), max: 1n << 65n }),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    text,
    fc.string({ unit: 'grapheme', size: 'medium' }),
    typedArrays,
    date,
    fc.array(tie('value')),
    fc.dictionary(
      key.filter((name) => name !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((entries) => new Map(entries)),
    fc.array(tie('value')).map((items) => new Set(items)),
  ),
})).value

/** As toStrictEqual, which takes a property named constructor for the class. */
export function expectSame(actual: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(actual, expected)).toBe(true)
}
