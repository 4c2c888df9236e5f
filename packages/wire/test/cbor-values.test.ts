import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { fc, test as fuzz } from '@fast-check/vitest'
import { createCborCodec } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { expectCode } from './expect-code.ts'
import { anyValue } from './values.ts'

const codec = createCborCodec()

function roundTrip(value: unknown): unknown {
  return codec.decode(codec.encode(value).slice())
}

describe('values that travel', () => {
  fuzz.prop([anyValue], { numRuns: 1000 })('come back equal', (value) => {
    // toStrictEqual takes a property named constructor for the class.
    expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true)
  })

  fuzz.prop([fc.array(anyValue)])('what encode returned stays as it is', (values) => {
    const encoded = values.map((value) => codec.encode(value))
    const copies = encoded.map((bytes) => bytes.slice())
    expect(encoded.map((bytes) => Buffer.compare(bytes, copies.shift() as Uint8Array))).toEqual(encoded.map(() => 0))
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

  test('own properties alone', () => {
    const value = Object.defineProperty({ a: 1 }, 'hidden', { value: () => 1, enumerable: false })
    expect(roundTrip(value)).toStrictEqual({ a: 1 })
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
    for (const value of [2n ** 2048n - 1n, -(2n ** 2048n), 2n ** 64n, -(2n ** 64n)])
      expect(roundTrip(value)).toBe(value)
  })
})

describe('values that are refused', () => {
  class Point {
    x = 1
  }
  test.each<[string, unknown]>([
    ['a function', () => 1],
    ['a class', Point],
    ['a symbol', Symbol('a')],
    ['an instance of a class', new Point()],
    ['an object with a prototype of its own', Object.create({ a: 1 })],
    ['an error', new Error('a')],
    ['a regular expression', /a/],
    ['a promise', Promise.resolve()],
    ['a WeakMap', new WeakMap()],
    ['a URL', new URL('http://a/')],
    ['a boxed number', Object(1)],
    ['a boxed string', Object('a')],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['a subclass of Array', new (class extends Array {})()],
    ['a subclass of Map', new (class extends Map {})()],
    ['a subclass of Date', new (class extends Date {})()],
    ['an object that poses as a Map', Object.create(Map.prototype)],
    ['an object that poses as a Date', Object.create(Date.prototype)],
    ['a Date that poses as an array', Object.assign(new Date(), { constructor: Array })],
    ['a generator', (function* () {})()],
    ['an invalid Date', new Date(Number.NaN)],
    ['a Date beyond exact ms', new Date(8.64e15 - 1)],
    ['a hole', new Array(3)],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a key', { 'a\udc00': 1 }],
    ['a symbol key', { [Symbol('a')]: 1 }],
    ['a property named __proto__', JSON.parse('{"__proto__":{"polluted":true}}')],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        get: () => {
          throw new Error('no')
        },
        enumerable: true,
      }),
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no')
          },
        },
      ),
    ],
    ['a bigint of 257 bytes', 2n ** 2048n],
    ['a negative bigint of 257 bytes', -(2n ** 2048n) - 1n],
  ])('%s', (_, value) => {
    expectCode('invalid_argument', () => codec.encode(value))
    expectCode('invalid_argument', () => codec.encode([value]))
    expectCode('invalid_argument', () => codec.encode(new Map([[1, value]])))
    expectCode('invalid_argument', () => codec.encode(new Set([value])))
  })

  test.each<[unknown, string]>([
    [{ list: [1, 2, 3, { callback: () => 1 }] }, 'request.list[3].callback is a function, which cannot be sent'],
    [() => 1, 'request is a function'],
    [{ 'a b': { x: Symbol('s') } }, 'request["a b"].x is a symbol'],
    [new Map([['k', new Point()]]), 'request.get("k") is an object of class Point'],
    [new Map([[/a/, 1]]), 'request.keys()[0] is an object of class RegExp'],
    [[new Set([1, new Error('a')])], 'request[0].values()[1] is an object of class Error'],
    [{ a: new ArrayBuffer(1) }, 'request.a is a ArrayBuffer: wrap its bytes in a Uint8Array'],
    [Object.assign(new Array(3), [undefined]), 'request[1] is a hole'],
    [{ constructor: () => 1 }, 'request.constructor is a function'],
    [{ ['x'.repeat(1000)]: Symbol('s') }, `request["${'x'.repeat(40)}..."] is a symbol`],
  ])('%# with the path to what is wrong', (value, message) => {
    expect(expectCode('invalid_argument', () => codec.encode(value, 'request')).message).toContain(message)
  })

  test('circles, wherever they close', () => {
    const node: { name: string; next?: unknown } = { name: 'a' }
    node.next = { list: [node] }
    const message = 'message.next.list[0] refers back to message: circles cannot be sent'
    expect(expectCode('invalid_argument', () => codec.encode(node)).message).toBe(message)
    const inner = expectCode('invalid_argument', () => codec.encode({ x: [node] })).message
    expect(inner).toBe('message.x[0].next.list[0] refers back to message.x[0]: circles cannot be sent')
    const ring: unknown[][] = Array.from({ length: 64 }, () => [])
    for (const [i, part] of ring.entries()) part.push(ring[(i + 1) % 64])
    expect(expectCode('invalid_argument', () => codec.encode(ring[0])).message).toContain('refers back to message:')
    const map = new Map<unknown, unknown>()
    map.set('self', map)
    expect(expectCode('invalid_argument', () => codec.encode(map)).message).toContain('message.get("self") refers back')
  })

  test('65 levels', () => {
    let value: unknown = []
    for (let depth = 0; depth < 64; depth++) value = [value]
    expect(expectCode('invalid_argument', () => codec.encode(value)).message).toContain('more than 64 deep (maxDepth)')
  })

  test('more items than the limit, also where few objects make many', () => {
    const small = createCborCodec({ maxItems: 100 })
    expectCode('invalid_argument', () => small.encode(new Array(100).fill(1)))
    expect(small.decode(small.encode(new Array(99).fill(1)))).toHaveLength(99)
    let many: unknown[] = []
    for (let depth = 0; depth < 60; depth++) many = [many, many]
    expectCode('invalid_argument', () => codec.encode(many))
  })

  test('more bytes than the limit, before they are encoded', () => {
    const text = 'a'.repeat(1_000_000)
    expectCode('resource_exhausted', () => codec.encode(new Array(100_000).fill(text)))
    expectCode('resource_exhausted', () => codec.encode({ a: new Uint8Array(2 ** 24 + 1) }))
  })

  test('more memory than the bytes stand for', () => {
    const empty = Array.from({ length: 100_000 }, () => ({}))
    expectCode('invalid_argument', () => codec.encode(empty))
    const lenient = createCborCodec({ maxExpansion: 1000 })
    expect(lenient.decode(lenient.encode(empty))).toHaveLength(100_000)
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

  test('the source stays as it is', () => {
    const source = new Uint8Array(codec.encode({ a: 'b' }))
    const before = source.slice()
    codec.decode(source)
    expect(source).toStrictEqual(before)
    expect(Object.keys(source)).toEqual(Object.keys(before))
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
    codec.encode(new Uint8Array(2_000_000))
    expect(codec.encode('a').buffer.byteLength).toBeLessThanOrEqual(256 * 1024)
  })
})
