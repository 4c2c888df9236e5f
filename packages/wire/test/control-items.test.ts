import { CODES, RpcError } from '@qrpc/core'
import { type ControlItem, createCborCodec, WireFormat } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode, outcomeOf } from './expect-code.ts'
import { framesOf, payloadOf } from './frames.ts'
import { bytes, hex } from './hex.ts'
import { anyValue, expectSame } from './values.ts'

const format = new WireFormat()
const cbor = createCborCodec()

const circle: unknown[] = []
circle.push(circle)

const SIGNALS = ['status', 'cancel', 'reset', 'stop'] as const

function sent(error: RpcError, by = format, kind: (typeof SIGNALS)[number] = 'status'): ControlItem {
  return by.decodeControl(payloadOf(by, (batch) => by.addSignal(batch, kind, error)))
}

function errorOf(item: ControlItem): RpcError {
  if (!('error' in item)) throw new Error(`${item.kind} has no error`)
  return item.error
}

describe('the end of a half', () => {
  test('is the empty control frame', () => {
    const frames = framesOf(format, (batch) => format.addEnd(batch))
    expect(frames).toEqual([{ control: true, payload: bytes('') }])
    expect(format.decodeControl(bytes(''))).toEqual({ kind: 'end' })
  })
})

describe('signals', () => {
  test.each(SIGNALS)('%s arrives in a control frame, with code and message', (kind) => {
    const error = new RpcError('aborted', 'no more')
    expect(framesOf(format, (batch) => format.addSignal(batch, kind, error))).toMatchObject([{ control: true }])
    const item = sent(error, format, kind)
    expect(item.kind).toBe(kind)
    expect(errorOf(item)).toMatchObject({ code: 'aborted', message: 'no more', name: 'RpcError', data: undefined })
  })

  test.each(CODES)('the code %s arrives', (code) => {
    expect(errorOf(sent(new RpcError(code))).code).toBe(code)
  })

  test('name and data of a declared error arrive; cause and stack do not', () => {
    const error = new RpcError('not_found', 'gone', {
      name: 'NotFound',
      data: { key: 'k' },
      cause: new Error('secret'),
    })
    const arrived = errorOf(sent(error))
    expect(arrived).toMatchObject({ code: 'not_found', message: 'gone', name: 'NotFound', data: { key: 'k' } })
    expect(arrived.cause).toBeUndefined()
    expect(hex(payloadOf(format, (batch) => format.addSignal(batch, 'status', error)))).not.toContain(
      Buffer.from('secret').toString('hex'),
    )
  })

  test('a name without data, data without a name, and data that is null arrive', () => {
    expect(errorOf(sent(new RpcError('aborted', 'a', { name: 'Torn' })))).toMatchObject({
      name: 'Torn',
      data: undefined,
    })
    expect(errorOf(sent(new RpcError('aborted', 'a', { data: 0 })))).toMatchObject({ name: 'RpcError', data: 0 })
    expect(errorOf(sent(new RpcError('aborted', 'a', { data: null }))).data).toBeNull()
  })

  test('data may be any value that travels', () => {
    const property = fc.property(anyValue, (data) => {
      expectSame(errorOf(sent(new RpcError('aborted', 'a', { data }))).data, data)
    })
    fc.assert(property)
  })

  test.each<[string, unknown]>([
    ['a function', () => 1],
    ['an instance of a class', new Error('a')],
    ['a circle', circle],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        get: () => {
          throw new Error('no')
        },
        enumerable: true,
      }),
    ],
    ['a text with a lone surrogate', '\ud800'],
    ['more than fits into a frame', new Uint8Array(2 ** 24)],
  ])('data that cannot be sent makes the error internal: %s', (_, data) => {
    const error = errorOf(sent(new RpcError('not_found', 'gone', { name: 'NotFound', data })))
    expect(error).toMatchObject({ code: 'internal', name: 'RpcError', data: undefined })
    expect(error.message).toBe('the call failed with not_found; its data cannot be sent')
  })

  test('text that UTF-8 cannot express arrives with U+FFFD in its place', () => {
    const error = new RpcError('aborted', 'a\ud800b', { name: 'N\udc00' })
    expect(errorOf(sent(error))).toMatchObject({ code: 'aborted', message: 'a\ufffdb', name: 'N\ufffd' })
  })

  test('text is cut after 8,192 characters', () => {
    const error = errorOf(sent(new RpcError('aborted', 'x'.repeat(100_000), { name: 'n'.repeat(100_000) })))
    expect(error.message).toBe(`${'x'.repeat(8192)}...`)
    expect(error.name).toBe(`${'n'.repeat(8192)}...`)
    const split = errorOf(sent(new RpcError('aborted', `${'x'.repeat(8191)}😈`)))
    expect(split.message).toBe(`${'x'.repeat(8191)}\ufffd...`)
  })

  test('whatever the error, a half can end in the smallest frame there is', () => {
    const small = new WireFormat({ maxMessageSize: 128 })
    for (const code of CODES) {
      const long = errorOf(sent(new RpcError(code, 'x'.repeat(1000)), small))
      expect(long.message).toBe(`the call failed with ${code}; its text does not fit`)
      expect(long.code).toBe(code)
      const large = errorOf(sent(new RpcError(code, 'a', { data: 'x'.repeat(1000) }), small))
      expect(large.message).toBe(`the call failed with ${code}; its data cannot be sent`)
      expect(large.code).toBe('internal')
    }
    // Few characters, and more bytes than fit.
    const wide = errorOf(sent(new RpcError('aborted', '水'.repeat(60)), small))
    expect(wide.message).toBe('the call failed with aborted; its text does not fit')
  })
})

describe('a control frame', () => {
  test('with a code that is not known has the code unknown', () => {
    const item = format.decodeControl(cbor.encode([0, 'out_of_coffee', 'no']))
    expect(errorOf(item)).toMatchObject({ code: 'unknown', message: 'no' })
  })

  test.each<[string, unknown]>([
    ['nothing', []],
    ['no message', [0, 'aborted']],
    ['an unknown number', [4, 'aborted', 'a']],
    ['a number below 0', [-1, 'aborted', 'a']],
    ['a fraction', [0.5, 'aborted', 'a']],
    ['a bigint', [0n, 'aborted', 'a']],
    ['a text for the number', ['0', 'aborted', 'a']],
    ['a name of a member of arrays for the number', ['length', 'aborted', 'a']],
    ['a number for the code', [0, 1, 'a']],
    ['null for the message', [0, 'aborted', null]],
    ['a number for the name', [0, 'aborted', 'a', 1]],
    ['null for the name', [0, 'aborted', 'a', null, 1]],
    ['too much', [0, 'aborted', 'a', 'N', 1, 2]],
    ['an object', { 0: 0, 1: 'aborted', 2: 'a' }],
    ['a map', new Map([[0, 0]])],
    ['a text', 'aborted'],
    ['a number', 0],
    ['null', null],
    ['undefined', undefined],
  ])('with %s is refused', (_, item) => {
    const error = expectCode('invalid_argument', () => format.decodeControl(cbor.encode(item)))
    expect(error.message).toContain('no status, cancel, reset or stop')
  })

  test('that is no CBOR, or more than one item, is refused', () => {
    for (const payload of ['ff', '83', '830067', '8300616161610000', 'd81b80']) {
      expectCode('invalid_argument', () => format.decodeControl(bytes(payload)))
    }
  })

  test('with any bytes gives an item or invalid_argument', () => {
    const near = fc
      .tuple(fc.constantFrom(0, 1, 2, 3, 4, -1), anyValue, anyValue, anyValue)
      .map((item) => cbor.encode(item))
    const property = fc.property(fc.oneof(fc.uint8Array(), near), (payload) => {
      const { error } = outcomeOf(() => format.decodeControl(payload))
      expect(error?.code ?? 'invalid_argument').toBe('invalid_argument')
    })
    fc.assert(property, { numRuns: 2000 })
  })
})
