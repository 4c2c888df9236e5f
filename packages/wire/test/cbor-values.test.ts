import { runInNewContext } from 'node:vm'
import { createCborCodec } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyValue, expectSame } from './values.ts'

const codec = createCborCodec()

function roundTrip(value: unknown): unknown {
  return codec.decode(codec.encode(value).slice())
}

describe('values that travel', () => {
  test('come back equal', () => {
    const property = fc.property(anyValue, (value) => {
      expectSame(roundTrip(value), value)
    })
    fc.assert(property, { numRuns: 1000 })
  })

  test('what encode returned stays as it is', () => {
    const property = fc.property(fc.array(anyValue), (values) => {
      const encoded = values.map((value) => codec.encode(value))
      const copies = encoded.map((bytes) => bytes.slice())
      expect(encoded.map((bytes) => Buffer.compare(bytes, copies.shift() as Uint8Array))).toEqual(encoded.map(() => 0))
    })
    fc.assert(property)
  })

  test.each([-0, [-0, 0, 1, -1, 0.5, 2 ** 40], { zero: -0, text: 'a', date: new Date(5), list: [1n, -0] }])(
    '%o, with its -0',
    (value) => {
      expect(roundTrip(value)).toStrictEqual(value)
    },
  )

  test('numbers and bigints stay apart', () => {
    expect(roundTrip([5, 5n, 2 ** 53, 2n ** 53n])).toStrictEqual([5, 5n, 2 ** 53, 2n ** 53n])
  })

  test.each(
    [
      [0n, 1n, -1n, 23n, 24n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
      [2n ** 64n, -(2n ** 63n), -(2n ** 64n) + 1n, -(2n ** 64n), -(2n ** 64n) - 1n, 2n ** 65n, 255n << 2040n],
    ].flat(),
  )('the bigint %d', (value) => {
    expect(roundTrip(value)).toBe(value)
  })

  test.each(
    [
      [0, 23, 24, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, 5e-324],
      [-1, -24, -25, -256, -257, -65536, -65537, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 32), -(2 ** 32) - 1, -1e300],
      [0.1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE],
    ].flat(),
  )('the number %d', (value) => {
    expect(roundTrip(value)).toBe(value)
  })

  test('every kind of typed array, wherever it lies in its buffer and in the message', () => {
    const kinds = [
      [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
      [BigInt64Array, BigUint64Array, Float32Array, Float64Array],
    ].flat()
    const buffer = Uint8Array.from({ length: 128 }, (_, i) => i * 37).buffer
    for (const Kind of kinds) {
      const size = Kind.BYTES_PER_ELEMENT
      for (const start of [0, size, 3 * size]) {
        for (const length of [0, 1, 5]) {
          const array = new Kind(buffer, start, length)
          for (let before = 0; before < 9; before++) {
            const value = ['x'.repeat(before), array, array]
            expect(roundTrip(value)).toStrictEqual([
              'x'.repeat(before),
              new Kind(array as never),
              new Kind(array as never),
            ])
          }
        }
      }
    }
  })

  test('bytes of memory that is shared or can grow, as a Uint8Array', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7)
    expect(roundTrip([shared])).toStrictEqual([Uint8Array.of(7, 7)])
  })

  test('maps and sets inside each other, with keys of any kind', () => {
    const value = new Map<unknown, unknown>([
      [new Map([[new Set([1n]), []]]), new Set([new Map([['a', new Map()]])])],
      [{ a: 1 }, new Map([[[1], new Date(5)]])],
      [null, undefined],
      [undefined, null],
      [Number.NaN, Uint8Array.of(1)],
      ['__proto__', 1],
      [1, 'number'],
      ['1', 'text'],
    ])
    expectSame(roundTrip(value), value)
    expect([...(roundTrip(value) as Map<unknown, unknown>).keys()]).toStrictEqual([...value.keys()])
  })

  test('objects inside maps stay objects, and maps inside objects maps', () => {
    const value = new Map([[{ a: new Map([[{}, {}]]) }, { b: new Map([[1, { c: 1 }]]), d: {} }]])
    expect(roundTrip(value)).toStrictEqual(value)
  })

  test('what getters give', () => {
    let calls = 0
    const value = {
      get a() {
        calls++
        return { b: 1 }
      },
    }
    expect(roundTrip(value)).toStrictEqual({ a: { b: 1 } })
    expect(calls).toBe(2)
  })

  test('properties and items in their order, though keys that are numbers come first', () => {
    expect(Object.keys(roundTrip({ b: 1, a: 2, 1: 3, 0: 4 }) as object)).toEqual(['0', '1', 'b', 'a'])
  })

  test('a Buffer and other kinds of Uint8Array, as Uint8Array', () => {
    class Bytes extends Uint8Array {}
    expect(roundTrip({ buffer: Buffer.from('ab'), bytes: Bytes.of(1) })).toStrictEqual({
      buffer: Uint8Array.of(97, 98),
      bytes: Uint8Array.of(1),
    })
  })

  test('an object without a prototype or of another realm, as a plain object', () => {
    const bare = Object.assign(Object.create(null), { a: 1 })
    expect(roundTrip([bare, runInNewContext('({ a: 1 })')])).toStrictEqual([{ a: 1 }, { a: 1 }])
  })

  test('an object with a property named constructor', () => {
    expect(roundTrip({ constructor: 'a', hasOwnProperty: 1 })).toStrictEqual({ constructor: 'a', hasOwnProperty: 1 })
  })

  test('the same object in several places', () => {
    const shared = { a: 1 }
    expect(roundTrip([shared, shared])).toStrictEqual([{ a: 1 }, { a: 1 }])
  })

  test('enumerable properties of objects alone, and items alone of arrays, maps, sets and dates', () => {
    const value = Object.defineProperty({ a: 1 }, 'hidden', { value: () => 1, enumerable: false })
    expect(roundTrip(value)).toStrictEqual({ a: 1 })
    const more = { more: () => 1 }
    expect(roundTrip([Object.assign([1], more), Object.assign(new Set([1]), more)])).toStrictEqual([[1], new Set([1])])
  })

  test('objects with very many properties, and long strings', () => {
    const value = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${i}`, i]))
    expect(roundTrip(value)).toStrictEqual(value)
    const text = 'hällo 水 𐅑 '.repeat(50_000)
    expect(roundTrip(text)).toBe(text)
  })

  test('64 levels', () => {
    let value: unknown = 1
    for (let depth = 0; depth < 64; depth++) value = depth % 2 === 0 ? [value] : { value }
    expect(roundTrip(value)).toStrictEqual(value)
  })

  test('bigints up to 256 bytes', () => {
    for (const value of [2n ** 2048n - 1n, -(2n ** 2048n)]) expect(roundTrip(value)).toBe(value)
  })
})

describe('usual large messages', () => {
  test.each<[string, unknown]>([
    ['pairs of small numbers', Array.from({ length: 200_000 }, (_, i) => [i & 15, 1])],
    ['rows', Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `row ${i}`, done: false, size: i / 3 }))],
    ['hashes', Array.from({ length: 100_000 }, () => new Uint8Array(32))],
    ['numbers', Array.from({ length: 900_000 }, (_, i) => i)],
    ['a float array', new Float64Array(1_000_000)],
  ])('%s pass', (_, value) => {
    const decoded = codec.decode(codec.encode(value)) as ArrayLike<unknown>
    const { length } = value as ArrayLike<unknown>
    expect(decoded.length).toBe(length)
    expect(decoded[length - 1]).toStrictEqual((value as ArrayLike<unknown>)[length - 1])
  })
})

describe('what is decoded', () => {
  test('byte strings and aligned typed arrays are views on the source', () => {
    const source = new Uint8Array(codec.encode({ bytes: Uint8Array.of(1, 2, 3) }))
    const { bytes } = codec.decode(source) as { bytes: Uint8Array }
    expect(bytes.buffer).toBe(source.buffer)
    const alone = new Uint8Array(codec.encode(Uint8Array.of(1, 2, 3)))
    expect((codec.decode(alone) as Uint8Array).buffer).toBe(alone.buffer)
  })

  test('nothing else is a view: what was decoded from a source does not change with it', () => {
    for (const value of [{ list: ['text', 'x'.repeat(100)], big: 2n ** 70n }, new Map([['水'.repeat(500), 'a']])]) {
      const source = new Uint8Array(codec.encode(value))
      const decoded = codec.decode(source)
      source.fill(0)
      codec.decode(codec.encode('something else'))
      expect(decoded).toStrictEqual(value)
    }
  })

  test('typed arrays that lie across the alignment of their elements are copies', () => {
    const source = new Uint8Array(codec.encode([new Float64Array([1.5]), 'a', new Float64Array([2.5])]))
    const arrays = codec.decode(source) as Float64Array[]
    expect(arrays.filter((array) => array.buffer !== source.buffer).length).toBeGreaterThan(0)
    expect(arrays).toStrictEqual([new Float64Array([1.5]), 'a', new Float64Array([2.5])])
  })

  test('the source stays as it is', () => {
    for (const value of [{ a: 'b' }, { a: Uint8Array.of(1) }, ['x'.repeat(2000)]]) {
      const source = new Uint8Array(codec.encode(value))
      const before = source.slice()
      codec.decode(source)
      expect(source).toStrictEqual(before)
      expect(Object.keys(source)).toEqual(Object.keys(before))
    }
  })

  test('a Buffer as the source gives plain Uint8Arrays', () => {
    const source = Buffer.from(codec.encode([Uint8Array.of(1), new Uint16Array([1])]))
    expect(codec.decode(source)).toStrictEqual([Uint8Array.of(1), new Uint16Array([1])])
  })

  test('the head of a Uint8Array is what encode writes before the bytes', () => {
    for (const length of [0, 1, 23, 24, 255, 256, 65535, 65536, 100_000]) {
      const bytes = new Uint8Array(length)
      const whole = Buffer.concat([codec.bytesHead(length), bytes])
      expect(Buffer.compare(whole, codec.encode(bytes))).toBe(0)
    }
  })

  test('large messages do not leave a large pool behind', () => {
    for (const large of [new Uint8Array(2_000_000), 'a'.repeat(2_000_000), Array(200_000).fill('水水水')]) {
      codec.encode(large)
      expect(codec.encode('a').buffer.byteLength).toBeLessThanOrEqual(1024 * 1024)
    }
  })
})
