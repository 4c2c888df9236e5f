import { createCborCodec } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { expectCode } from './expect-code.ts'

const codec = createCborCodec()

class Point {
  x = 1
}

function throwing(): never {
  throw new Error('no')
}

describe('values that do not travel', () => {
  test.each<[string, unknown, string]>([
    ['a function', () => 1, ' is a function'],
    ['a class', Point, ' is a function'],
    ['a symbol', Symbol('a'), ' is a symbol'],
    ['an instance of a class', new Point(), ' is an object of class Point'],
    ['an object with a prototype of its own', Object.create({ a: 1 }), ' is an object of class Object'],
    ['an error', new Error('a'), ' is an object of class Error'],
    ['a regular expression', /a/, ' is an object of class RegExp'],
    ['a promise', Promise.resolve(), ' is an object of class Promise'],
    ['a WeakMap', new WeakMap(), ' is an object of class WeakMap'],
    ['a URL', new URL('http://a/'), ' is an object of class URL'],
    ['a boxed number', Object(1), ' is an object of class Number'],
    ['a boxed string', Object('a'), ' is an object of class String'],
    ['an ArrayBuffer', new ArrayBuffer(1), ' is a ArrayBuffer: wrap its bytes in a Uint8Array'],
    ['a DataView', new DataView(new ArrayBuffer(1)), ' is a DataView: wrap its bytes in a Uint8Array'],
    ['a subclass of Array', new (class List extends Array {})(), ' is an object of class List'],
    ['a subclass of Map', new (class Table extends Map {})(), ' is an object of class Table'],
    ['a subclass of Set', new (class Group extends Set {})(), ' is an object of class Group'],
    ['a subclass of Date', new (class Day extends Date {})(), ' is an object of class Day'],
    ['a subclass of a typed array', new (class Row extends Int8Array {})(), ' is an object of class Row'],
    ['an object that poses as a Map', Object.create(Map.prototype), ' '],
    ['an object that poses as a Date', Object.create(Date.prototype), ' '],
    [
      'a Date that poses as an array',
      Object.assign(new Date(), { constructor: Array }),
      ' is an object of class Array',
    ],
    ['a generator', (function* () {})(), ' is an object of class'],
    ['an invalid Date', new Date(Number.NaN), ' is an invalid Date'],
    ['a Date that is not exact in seconds', new Date(4398046548313692), ' is a Date that is not exact'],
    ['a hole', new Array(3), '[0] is a hole in an array'],
    ['a lone surrogate', 'a\ud800', ' is a string with a lone surrogate'],
    ['a lone surrogate, the other half', '\udc00', ' is a string with a lone surrogate'],
    ['a lone surrogate in a key', { 'a\udc00': 1 }, '["a\\udc00"] is a string with a lone surrogate'],
    ['a symbol key', { [Symbol('a')]: 1 }, ' has a property whose key is a symbol'],
    ['a property named __proto__', JSON.parse('{"__proto__":{"polluted":true}}'), '["__proto__"] is a property that'],
    ['a getter that throws', Object.defineProperty({}, 'a', { get: throwing, enumerable: true }), '.a cannot be read'],
    ['a getter in an array', Object.defineProperty([], 1, { get: throwing, enumerable: true }), '[0] is a hole'],
    ['a proxy that throws', new Proxy({}, { get: throwing }), ' cannot be read'],
    ['a proxy that hides its keys', new Proxy({}, { ownKeys: throwing }), ' cannot be read'],
    ['a bigint of 257 bytes', 2n ** 2048n, ' is a bigint of more than 256 bytes'],
    ['a negative bigint of 257 bytes', -(2n ** 2048n) - 1n, ' is a bigint of more than 256 bytes'],
  ])('%s', (_, value, why) => {
    const message = (holder: unknown): string => expectCode('invalid_argument', () => codec.encode(holder)).message
    expect(message(value)).toContain(`message${why}`)
    expect(message([0, value])).toContain(`message[1]${why}`)
    expect(message({ a: value })).toContain(`message.a${why}`)
    expect(message(new Map([[1, value]]))).toContain(`message.get(1)${why}`)
    expect(message(new Map([[value, 1]]))).toContain(`message.keys()[0]${why}`)
    expect(message(new Set([value]))).toContain(`message.values()[0]${why}`)
  })

  test.each<[unknown, string]>([
    [{ list: [1, 2, 3, { callback: () => 1 }] }, 'request.list[3].callback is a function, which cannot be sent'],
    [() => 1, 'request is a function, which cannot be sent'],
    [{ 'a b': { x: Symbol('s') } }, 'request["a b"].x is a symbol'],
    [{ '': { '"': () => 1 } }, 'request[""]["\\""] is a function'],
    [new Map([['k', new Point()]]), 'request.get("k") is an object of class Point'],
    [new Map([[5n, new Map([[null, new Point()]])]]), 'request.get(5).get(null) is an object of class Point'],
    [new Map([[{}, new Point()]]), 'request.get(...) is an object of class Point'],
    [new Map([[/a/, 1]]), 'request.keys()[0] is an object of class RegExp'],
    [[new Set([1, new Error('a')])], 'request[0].values()[1] is an object of class Error'],
    [{ a: new ArrayBuffer(1) }, 'request.a is a ArrayBuffer: wrap its bytes in a Uint8Array'],
    [Object.assign(new Array(3), [undefined]), 'request[1] is a hole in an array: give undefined or null'],
    [{ constructor: () => 1 }, 'request.constructor is a function'],
    [{ ['x'.repeat(1000)]: Symbol('s') }, `request["${'x'.repeat(40)}..."] is a symbol`],
  ])('%# are named by the path to what is wrong', (value, message) => {
    expect(expectCode('invalid_argument', () => codec.encode(value, 'request')).message).toContain(message)
  })

  test('paths are cut where they get long', () => {
    let value: unknown = () => 1
    for (let i = 0; i < 60; i++) value = { abcdefgh: value }
    const { message } = expectCode('invalid_argument', () => codec.encode(value))
    expect(message).toMatch(/^message(\.abcdefgh)+(\.[a-h]*)?\.\.\. is a function/)
    expect(message.length).toBeLessThan(300)
  })

  test('what a getter threw is the cause', () => {
    const thrown = new Error('no')
    const value = {
      get a() {
        throw thrown
      },
    }
    expect(expectCode('invalid_argument', () => codec.encode([value])).cause).toBe(thrown)
  })

  test('a getter that changes its mind harms nobody', () => {
    let calls = 0
    const value = {
      get a() {
        return calls++ === 0 ? 1 : throwing()
      },
    }
    expectCode('invalid_argument', () => codec.encode(value))
    expect(codec.decode(codec.encode({ a: 1 }))).toStrictEqual({ a: 1 })
  })

  test('a getter that encodes, too, would mix up two messages', () => {
    const value = {
      get a() {
        return codec.encode('a')
      },
    }
    const error = expectCode('invalid_argument', () => codec.encode(value))
    expect(error.message).toBe('message.a cannot be read: it throws')
    expect((error.cause as Error).message).toContain('by a getter of what is being encoded')
    expect(codec.decode(codec.encode({ a: 1 }))).toStrictEqual({ a: 1 })
  })
})

describe('circles', () => {
  const node: { name: string; next?: unknown } = { name: 'a' }
  node.next = { list: [node] }
  const map = new Map<unknown, unknown>()
  map.set('self', map)
  const keyed = new Map<unknown, unknown>()
  keyed.set(keyed, 1)
  const set = new Set<unknown>()
  set.add([set])
  const ring: unknown[][] = Array.from({ length: 64 }, () => [])
  for (const [i, part] of ring.entries()) part.push(ring[(i + 1) % 64])

  test.each<[string, unknown, string]>([
    ['through objects and arrays', node, 'message.next.list[0] refers back to message: circles cannot be sent'],
    ['further in', { x: [node] }, 'message.x[0].next.list[0] refers back to message.x[0]: circles cannot be sent'],
    ['through maps', map, 'message.get("self") refers back to message: circles cannot be sent'],
    ['through keys of maps', keyed, 'message.keys()[0] refers back to message: circles cannot be sent'],
    ['through sets', { set }, 'message.set.values()[0][0] refers back to message.set: circles cannot be sent'],
    ['of 64 parts', ring[0], ' refers back to message: circles cannot be sent'],
  ])('%s', (_, value, message) => {
    expect(expectCode('invalid_argument', () => codec.encode(value)).message).toContain(message)
  })
})

describe('values beyond the limits', () => {
  test('65 levels', () => {
    let value: unknown = []
    for (let depth = 0; depth < 64; depth++) value = [value]
    const { message } = expectCode('invalid_argument', () => codec.encode(value))
    expect(message).toContain('[0][0]')
    expect(message).toContain('is more than 64 deep (maxDepth)')
  })

  test('more items than the limit, also where few objects make many', () => {
    const small = createCborCodec({ maxItems: 100 })
    const { message } = expectCode('invalid_argument', () => small.encode(new Array(100).fill(1)))
    expect(message).toBe('message[99] is beyond the 100 items of a message (maxItems)')
    expect(small.decode(small.encode(new Array(99).fill(1)))).toHaveLength(99)
    let many: unknown[] = []
    for (let depth = 0; depth < 60; depth++) many = [many, many]
    expectCode('invalid_argument', () => codec.encode(many))
  })

  test('more bytes than the limit, before they are encoded', () => {
    const text = 'a'.repeat(1_000_000)
    const { message } = expectCode('resource_exhausted', () => codec.encode(new Array(100_000).fill(text)))
    expect(message).toBe('message[16] is where the message exceeds 16777216 bytes (maxMessageSize)')
    expectCode('resource_exhausted', () => codec.encode({ a: new Uint8Array(2 ** 24 + 1) }))
  })

  test('more memory than the bytes stand for', () => {
    const empty = Array.from({ length: 500_000 }, () => ({}))
    const { message } = expectCode('invalid_argument', () => codec.encode(empty))
    expect(message).toContain('32 times its bytes in memory (maxExpansion)')
    const lenient = createCborCodec({ maxExpansion: 1000 })
    expect(lenient.decode(lenient.encode(empty))).toHaveLength(500_000)
  })

  test.each([
    { maxDepth: 0 },
    { maxDepth: 1001 },
    { maxItems: 0 },
    { maxExpansion: 0 },
    { maxMessageSize: 0 },
    { maxDepth: Number.NaN },
  ])('limits that make no sense are refused: %o', (limits) => {
    expect(expectCode('invalid_argument', () => createCborCodec(limits)).message).toContain('give a number from')
  })
})
