import { createCborCodec } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcomeOf } from './expect-code.ts'
import { anyValue, expectSame } from './values.ts'

const codec = createCborCodec()

/** Decodes, and checks that what comes is a value that could be sent on as it is, or `invalid_argument`. */
function expectValueOrRefusal(message: Uint8Array): void {
  const { value, error } = outcomeOf(() => codec.decode(message))
  expect(error?.code ?? 'invalid_argument').toBe('invalid_argument')
  if (error !== undefined) return
  const again = outcomeOf(() => codec.decode(codec.encode(value)))
  // A date that was rounded to the ms need not be one that travels.
  expect(again.error?.message ?? 'is a Date that').toContain('is a Date that')
  if (again.error !== undefined) return
  expectSame(again.value, value)
}

type Edit = { readonly at: number } & (
  | { readonly kind: 'set'; readonly byte: number }
  | { readonly kind: 'flip'; readonly bit: number }
  | { readonly kind: 'insert'; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly count: number }
  | { readonly kind: 'repeat'; readonly count: number }
)

const at = fc.nat()
const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof<fc.Arbitrary<Edit>[]>(
    fc.record({ kind: fc.constant('set'), at, byte: fc.nat(255) }),
    fc.record({ kind: fc.constant('flip'), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('insert'), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
    fc.record({ kind: fc.constant('remove'), at, count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant('repeat'), at, count: fc.integer({ min: 1, max: 9 }) }),
  ),
  { minLength: 1, maxLength: 4 },
)

function edited(message: Uint8Array, changes: readonly Edit[]): Uint8Array {
  const list = [...message]
  for (const change of changes) {
    const index = change.at % (list.length + 1)
    if (change.kind === 'set') list[index] = change.byte
    else if (change.kind === 'flip') list[index] = (list[index] ?? 0) ^ (1 << change.bit)
    else if (change.kind === 'insert') list.splice(index, 0, ...change.bytes)
    else if (change.kind === 'remove') list.splice(index, change.count)
    else list.splice(index, 0, ...list.slice(index, index + change.count))
  }
  return Uint8Array.from(list)
}

describe('the decoder gives a value or invalid_argument, and nothing else', () => {
  test('for random bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 60 }), expectValueOrRefusal)
    fc.assert(property, { numRuns: 20_000 })
  })

  test('for random bytes that begin as containers and tags do', () => {
    const head = fc.constantFrom(
      0x81,
      0x82,
      0x84,
      0xa1,
      0xa2,
      0xc1,
      0xc2,
      0xc3,
      0xd8,
      0xd9,
      0x41,
      0x44,
      0x61,
      0x64,
      0xfb,
    )
    const tag = fc.constantFrom([0xd9, 1, 2], [0xd9, 1, 3], [0xd8, 69], [0xd8, 86], [0xd8, 64], [0xc1], [0xc3])
    const part = fc.oneof(
      head.map((byte) => [byte]),
      tag,
      fc.array(fc.nat(255), { maxLength: 3 }),
    )
    const property = fc.property(fc.array(part, { maxLength: 30 }), (parts) =>
      expectValueOrRefusal(Uint8Array.from(parts.flat())),
    )
    fc.assert(property, { numRuns: 20_000 })
  })

  test('for encodings with some bytes changed, added, removed or repeated', () => {
    const property = fc.property(anyValue, edits, (value, changes) =>
      expectValueOrRefusal(edited(codec.encode(value), changes)),
    )
    fc.assert(property, { numRuns: 10_000 })
  })

  test('for encodings that are cut off anywhere: invalid_argument', () => {
    const property = fc.property(anyValue, fc.nat(), (value, cut) => {
      const encoded = codec.encode(value)
      expect(() => codec.decode(encoded.subarray(0, cut % encoded.length))).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      )
    })
    fc.assert(property, { numRuns: 2000 })
  })
})

describe('both sides have the same limits', () => {
  /** Whether it throws `invalid_argument`. */
  function refuses(run: () => unknown): boolean {
    const { error } = outcomeOf(run)
    expect(error?.code ?? 'invalid_argument').toBe('invalid_argument')
    return error !== undefined
  }

  test('what one refuses to send the other would have refused, and the other way round', () => {
    const limits = fc.record({ maxDepth: fc.integer({ min: 1, max: 6 }), maxItems: fc.integer({ min: 1, max: 40 }) })
    const property = fc.property(anyValue, limits, (value, given) => {
      const strict = createCborCodec(given)
      const encoded = codec.encode(value)
      expect(refuses(() => strict.encode(value))).toBe(refuses(() => strict.decode(encoded)))
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test.each([
    2n ** 64n,
    -(2n ** 64n) + 1n,
    -(2n ** 64n),
    -(2n ** 64n) - 1n,
    2n ** 72n,
    -(2n ** 72n),
    -(2n ** 72n) - 1n,
  ])('of items, to the last byte of the bigint %d', (value) => {
    const encoded = codec.encode(value)
    const counts = Array.from({ length: 15 }, (_, i) => i + 1)
    const sender = counts.filter((maxItems) => refuses(() => createCborCodec({ maxItems }).encode(value)))
    const receiver = counts.filter((maxItems) => refuses(() => createCborCodec({ maxItems }).decode(encoded)))
    expect(sender).toEqual(receiver)
    expect(receiver.length).toBeLessThan(15)
  })

  const manyOf: [string, () => unknown][] = [
    ['objects', () => ({})],
    ['maps', () => new Map()],
    ['sets', () => new Set([[]])],
    ['byte strings', () => new Uint8Array(1)],
    ['typed arrays', () => new Int16Array(1)],
    ['dates', () => new Date(5)],
    ['bignums', () => 2n ** 64n],
    ['texts', () => 'ab'],
    ['objects with -0', () => ({ a: -0 })],
  ]
  test.each(manyOf)('of memory, to the last one: %s', (_, make) => {
    const strict = createCborCodec({ maxExpansion: 2 })
    let most = 0
    const unlimited = 200_000
    let tooMany = unlimited
    while (tooMany - most > 1) {
      const count = (most + tooMany) >> 1
      const value = Array.from({ length: count }, make)
      if (refuses(() => strict.encode(value))) tooMany = count
      else most = count
    }
    const decode = (count: number): boolean =>
      refuses(() => strict.decode(codec.encode(Array.from({ length: count }, make))))
    expect(decode(most)).toBe(false)
    expect(tooMany === unlimited || decode(tooMany)).toBe(true)
  })
})
