import { createCborCodec } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { expectCheap } from './cpu.ts'
import { expectCode } from './expect-code.ts'
import { bytes, join } from './hex.ts'

const codec = createCborCodec()
const MIB = 1024 * 1024

function repeated(head: string, unit: string, count: number, tail = ''): Uint8Array {
  return join([bytes(head), bytes(unit.repeat(count)), bytes(tail)])
}

/** A byte string of zeros behind the tag. */
function tagged(tag: string, length: number): Uint8Array {
  const head = new Uint8Array(5)
  head[0] = 0x5a
  new DataView(head.buffer).setUint32(1, length)
  return join([bytes(tag), head, new Uint8Array(length)])
}

function expectRefused(message: Uint8Array, why: string): void {
  const { message: text } = expectCheap(() => expectCode('invalid_argument', () => codec.decode(message)))
  expect(text).toContain(why)
}

describe('bignums', () => {
  test.each<[string, string, number]>([
    ['positive, of 257 bytes', 'c2', 257],
    ['negative, of 257 bytes', 'c3', 257],
    ['of 100 kB', 'c2', 100_000],
    ['of 200 kB', 'c3', 200_000],
    ['of 16 MiB', 'c2', 16 * MIB - 6],
  ])('%s are refused', (_, tag, length) => {
    expectRefused(tagged(tag, length), 'a bignum of more than 256 bytes')
  })

  test('of 256 bytes are read', () => {
    expect(codec.decode(join([bytes('c2590100'), new Uint8Array(256).fill(255)]))).toBe(2n ** 2048n - 1n)
  })

  test('of 256 bytes are refused where there are more than 3,900 of them', () => {
    const one = `c2590100${'ff'.repeat(256)}`
    expectRefused(repeated('9a00001000', one, 4096), 'more than 1000000 items')
    expect(codec.decode(repeated('990f00', one, 0xf00))).toHaveLength(0xf00)
  })

  test('that have no byte string are refused', () => {
    for (const content of ['01', '6131', '80', 'f6']) expectRefused(bytes(`c2${content}`), 'is no byte string')
  })
})

describe('nesting', () => {
  const arrays = (depth: number): Uint8Array => repeated('', '81', depth - 1, '80')
  const objects = (depth: number): Uint8Array => repeated('', 'a16161', depth - 1, 'a0')
  const maps = (depth: number): Uint8Array => repeated('', 'd90103a101', depth - 1, 'd90103a0')
  const keys = (depth: number): Uint8Array => repeated('', 'd90103a1', depth - 1, `d90103a0${'01'.repeat(depth - 1)}`)
  const sets = (depth: number): Uint8Array => repeated('', 'd9010281', depth - 1, 'd9010280')

  const kinds: [string, (depth: number) => Uint8Array][] = [
    ['arrays', arrays],
    ['objects', objects],
    ['maps', maps],
    ['keys of maps', keys],
    ['sets', sets],
  ]
  describe.each(kinds)('%s', (_, make) => {
    test('64 deep are read', () => {
      expect(codec.decode(make(64))).toBeDefined()
    })

    test.each([65, 1000, 5000, 100_000])('%d deep are refused', (depth) => {
      expectRefused(make(depth), 'containers more than 64 deep')
    })
  })

  test('may be deeper where maxDepth says so', () => {
    const lenient = createCborCodec({ maxDepth: 1000 })
    expect(lenient.decode(arrays(1000))).toHaveLength(1)
    expectCode('invalid_argument', () => lenient.decode(arrays(1001)))
  })

  test('of siblings adds nothing', () => {
    expect(codec.decode(repeated('990400', '81a16161820102', 1024))).toHaveLength(1024)
  })
})

describe('many small items', () => {
  test.each<[string, string]>([
    ['empty maps', 'a0'],
    ['empty arrays', '80'],
    ['empty byte strings', '40'],
    ['empty texts', '60'],
    ['numbers', '00'],
  ])('a MiB of %s is refused', (_, unit) => {
    expectRefused(repeated('9a00100000', unit, MIB), 'more than 1000000 items')
    // In several arrays, so that no count gives it away.
    expectRefused(repeated('88', `9a00020000${unit.repeat(MIB / 8)}`, 8), 'more than')
  })

  test.each<[string, string, number]>([
    ['empty maps', 'a0', 900_000],
    ['empty arrays', '80', 900_000],
    ['empty byte strings', '40', 900_000],
    ['dates', 'c100', 400_000],
    ['empty sets', 'd9010280', 250_000],
    ['empty typed arrays', 'd84540', 300_000],
  ])('%s are refused that take 32 times their bytes in memory', (_, unit, count) => {
    const head = count.toString(16).padStart(8, '0')
    expectRefused(repeated(`9a${head}`, unit, count), 'more than 32 times its bytes in memory')
  })

  test('900,000 numbers are read', () => {
    expect(codec.decode(repeated('9a000dbba0', '00', 900_000))).toHaveLength(900_000)
  })
})

describe('tags', () => {
  test.each<[string, string, string]>([
    ['0, a date as text', 'c074323031332d30332d32315432303a30343a30305a', '0'],
    ['4, a decimal fraction', 'c48221196ab3', '4'],
    ['6, a packed reference', 'c600', '6'],
    ['14, a bundled string', 'ce01', '14'],
    ['15, a bundled string', 'cf01', '15'],
    ['24, embedded CBOR', 'd8184100', '24'],
    ['25, a reference to a string', 'd81900', '25'],
    ['27, a regular expression', 'd81b836652656745787061616167', '27'],
    ['27, an error', 'd81b82654572726f726161', '27'],
    ['27, a constructor', 'd81b826b636f6e7374727563746f726161', '27'],
    ['28, a value to refer to', 'd81c80', '28'],
    ['28 and 29, a circle', 'd81c81d81d00', '28'],
    ['29, a reference', 'd81d00', '29'],
    ['51, packed', 'd8338480808000', '51'],
    ['55799, self-described', 'd9d9f700', '55799'],
    ['76, reserved', 'd84c4100', '76'],
    ['80, floats of 16 bits', 'd850420000', '80'],
    ['83, floats of 128 bits', 'd853400000', '83'],
    ['84, floats of 16 bits', 'd854420000', '84'],
    ['87, beyond the typed arrays', 'd85740', '87'],
    ['105, a record', 'd8698219e00081616100', '105'],
    ['225, a prefix', 'd8e16161', '225'],
    ['1300, an iterator', 'd9051480', '1300'],
    ['0x53687264, shared data', 'da5368726400', '1399353956'],
    ['0xffffffff', 'daffffffff00', '4294967295'],
    ...Array.from({ length: 7 }, (_, i): [string, string, string] => {
      const tag = 0xdff9 + i
      return [`0x${tag.toString(16)}, records and bundles`, `d9${tag.toString(16)}8319e00081616100`, String(tag)]
    }),
  ])('%s, are refused', (_, message, tag) => {
    expectRefused(bytes(message), `the tag ${tag} `)
    expectRefused(bytes(`a16161${message}`), `the tag ${tag} `)
  })

  test('longer forms than the shortest make no difference', () => {
    expectRefused(bytes('da0000001b8265457272 6f726161'), 'the tag 27 ')
    expect(codec.decode(bytes('da0000000100'))).toEqual(new Date(0))
  })

  test.each(['db00000000000000011a00000000', 'db200000000000000000', 'dbffffffffffffffff00'])(
    'of 64 bits are refused: %s',
    (message) => {
      expectRefused(bytes(message), 'a length or tag of 64 bits')
    },
  )

  test('on tags are refused, however many', () => {
    expectRefused(bytes('c1c100'), 'a tag on a tag')
    expectRefused(repeated('', 'c1', MIB, '00'), 'a tag on a tag')
  })

  test.each<[string, string, string]>([
    ['a set', 'd90102a0', 'a set that is no array'],
    ['a map', 'd9010380', 'a map that is none'],
    ['a date', 'c16161', 'a date that is no number'],
    ['a date', 'c11b0000000000000001', 'a date that is no number of up to 32 bits'],
    ['a date', 'c1f6', 'a date that is no number'],
    ['a typed array', 'd84561 61', 'is no byte string'],
    ['a typed array', 'd84580', 'is no byte string'],
  ])('for %s are refused on other content: %s', (_, message, why) => {
    expectRefused(bytes(message), why)
  })

  test.each(['d845 43000000', 'd846 43000000', 'd84f 4400000000', 'd856 4c000000000000000000000000'])(
    'for typed arrays are refused where the bytes end within an element: %s',
    (message) => {
      expectRefused(bytes(message), 'ends within an element')
    },
  )

  test.each(['c1f97c00', 'c1f97e00', 'c1f9fc00', 'c1fa7f800000', 'c1fb7ff8000000000000', 'c1fb429f6ea086000001'])(
    'for dates are refused on what no date can be: %s',
    (message) => {
      expectRefused(bytes(message), 'a date out of range')
    },
  )

  test('with nothing behind them are refused', () => {
    for (const tag of ['c1', 'd84', 'd845', 'd90103', 'd901', 'da000000']) {
      expectRefused(bytes(tag), 'a length beyond the end')
    }
  })
})

describe('lengths', () => {
  test.each(
    [
      ['18', '19', '1900', '1a000000', '1b00000000000000', '38', '3b', 'f9', 'fa000000', 'fb00000000000000'],
      ['41', '5818', '585700', '590001', '5a00000001', '5affffffff', '58', '5900', '5a000000'],
      ['61', '7818', '7affffffff', '78', '7900', '6261'],
      ['81', '9818', '9affffffff', '98', '8201', '818161'],
      ['a1', 'a16161', 'b818', 'baffffffff', 'b8', 'ba7fffffff', 'a2616101'],
      ['c1', 'c2', 'c258', 'd8455a7ffffffe', 'd90102', 'd901029affffffff'],
      ['d90103baffffffff', 'c1fb00000000', 'c1f900', 'c119'],
      [''],
    ].flat(),
  )('beyond the end are refused: %s', (message) => {
    expectRefused(bytes(message), 'a length beyond the end')
  })

  test('that promise more than is there are refused before anything is made for them', () => {
    expectRefused(repeated('', '9a00ffffff', 64), 'a length beyond the end')
    expectRefused(repeated('', '9a00010000', 60, '00'.repeat(70_000)), 'a length beyond the end')
  })

  test.each(['5b', '7b', '9b', 'bb', 'db'])('of 2^61 are refused: %s', (head) => {
    expectRefused(join([bytes(`${head}2000000000000000`), new Uint8Array(100)]), 'a length or tag of 64 bits')
  })

  test.each([
    '5f',
    '7f',
    '9f',
    'bf',
    'df',
    'ff',
    '1f',
    '3f',
    '5f4100ff',
    '7f6161ff',
    '9fff',
    'bfff',
    '81ff',
    '9f9fffff',
  ])('that are indefinite, and stray breaks, are refused: %s', (message) => {
    expectRefused(bytes(message), 'a reserved head, an indefinite length or a stray break')
  })

  test.each(['1c', '1d', '1e', '3c', '5d', '7e', '9c', 'bd', 'de'])('that are reserved are refused: %s', (head) => {
    expectRefused(bytes(`${head}0000000000000000`), 'a reserved head')
  })

  test.each(['0000', '80ff', 'a000', '4000', '60f6', 'f6f6', '8301020300'])(
    'that end before the message does are refused: %s',
    (message) => {
      expectRefused(bytes(message), 'bytes behind its end')
    },
  )

  test('in longer forms than the shortest are read', () => {
    expect(codec.decode(bytes('9a00000002 1a00000001 7a00000001 61'))).toEqual([1, 'a'])
    expect(codec.decode(bytes('ba00000001 79000161 5a0000000107'))).toEqual({
      a: Uint8Array.of(7),
    })
  })
})

describe('keys of objects', () => {
  const PROTO = '695f5f70726f746f5f5f'

  test.each([
    `a1${PROTO}01`,
    `a2616101${PROTO}a0`,
    `81a1${PROTO}a1616101`,
    `d90103a101a1${PROTO}01`,
    `a16161a1${PROTO}01`,
    'a178095f5f70726f746f5f5f01',
    'a179 0009 5f5f70726f746f5f5f 01',
  ])('must not be __proto__: %s', (message) => {
    expectRefused(bytes(message), 'a key __proto__')
  })

  test('may be constructor, and like __proto__', () => {
    const decoded = codec.decode(bytes('a2 6b636f6e7374727563746f72 01 695f5f70726f746f5f2d 02'))
    expect(decoded).toStrictEqual({ constructor: 1, '__proto_-': 2 })
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
  })

  test('may be __proto__ where the map is a Map, which has no prototype to lose', () => {
    expect(codec.decode(bytes(`d90103a1${PROTO}01`))).toStrictEqual(new Map([['__proto__', 1]]))
    expect(codec.decode(bytes(PROTO))).toBe('__proto__')
  })

  test.each([
    'a10000',
    'a120f6',
    'a1416100',
    'a18000',
    'a1a000',
    'a1f600',
    'a1c10000',
    'a2616101 0102',
    'a1fb3ff000000000000000',
  ])('must be texts: %s', (message) => {
    expectRefused(bytes(message), 'an object with a key that is no text')
  })

  test('count from the inner object to the outer one', () => {
    expect(codec.decode(bytes('a2 6161 a1 6162 82 01 a0 6163 d90103a1 01 02'))).toStrictEqual({
      a: { b: [1, {}] },
      c: new Map([[1, 2]]),
    })
    expectRefused(bytes('a2 6161 a1 6162 82 01 a0 01 02'), 'a key that is no text')
  })

  test('that are twice there: the last one counts', () => {
    expect(codec.decode(bytes('a2616101616102'))).toStrictEqual({ a: 2 })
  })
})

describe('simple values', () => {
  test.each(['e0', 'e6', 'f3', 'f8', 'f814', 'f820', 'f8ff', 'fc', 'fd', 'fe'])(
    'of other kinds are refused: %s',
    (message) => {
      expectRefused(bytes(message), 'a simple value other than')
    },
  )
})

describe('text', () => {
  test.each<[string, string]>([
    ['61ff', '\ufffd'],
    ['62c328', '\ufffd('],
    ['63eda080', '\ufffd\ufffd\ufffd'],
    ['62c0af', '\ufffd\ufffd'],
  ])('that is no UTF-8 is read with U+FFFD for what is wrong: %s', (message, text) => {
    expect(codec.decode(bytes(message))).toBe(text)
    expect(codec.decode(join([bytes('8279012c'), new Uint8Array(300).fill(97), bytes(message)]))).toEqual([
      'a'.repeat(300),
      text,
    ])
  })
})
