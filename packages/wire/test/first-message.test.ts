import { type MetadataEntries, type Request, RpcError } from '@qrpc/core'
import { createCborCodec, DEFAULT_MAX_HEADER_SIZE, WireFormat } from '@qrpc/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectCode, outcomeOf } from './expect-code.ts'
import { payloadOf } from './frames.ts'
import { bytes, hex, join } from './hex.ts'
import { anyValue, expectSame } from './values.ts'

const format = new WireFormat()
const cbor = createCborCodec()

function request(message: unknown, rest: Partial<Request> = {}): Request {
  return { method: 'compute/sqr', metadata: undefined, timeout: undefined, message, ...rest }
}

function encoded(first: unknown, by = format): Uint8Array {
  return payloadOf(by, (batch) => by.addFirst(batch, first))
}

function withHeader(header: unknown, message = bytes('01')): Uint8Array {
  return join([cbor.encode(header), message])
}

const text = fc.string({ unit: 'grapheme' })
const metadata: fc.Arbitrary<MetadataEntries> = fc.array(fc.tuple(text, fc.oneof(text, fc.uint8Array())))

describe('the first message of a client', () => {
  test('comes back with its header, whatever they are', () => {
    const rest = fc.record({
      method: text,
      timeout: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
      metadata: fc.option(metadata, { nil: undefined }),
    })
    const property = fc.property(anyValue, rest, (message, given) => {
      expectSame(format.decodeFirst(encoded(request(message, given))), request(message, given))
    })
    fc.assert(property)
  })

  test('has the same bytes the next time, from a header that was kept', () => {
    const first = hex(encoded(request('a')))
    expect(first).toBe('816b636f6d707574652f7371726161')
    expect(hex(encoded(request('a')))).toBe(first)
    expect(hex(encoded(request('a', { method: 'other' })))).toBe('81656f746865726161')
  })

  test('reads what the request is when it leaves', () => {
    let left = 1000
    const late = {
      method: 'a',
      metadata: undefined,
      message: 1,
      get timeout() {
        return left
      },
    }
    expect(format.decodeFirst(encoded(late))).toMatchObject({ timeout: 1000 })
    left = 10
    expect(format.decodeFirst(encoded(late))).toMatchObject({ timeout: 10 })
  })

  test('may be anything on a channel that was opened by hand', () => {
    const property = fc.property(anyValue, (message) => {
      expectSame(format.decodeFirst(encoded(message)), message)
    })
    fc.assert(property)
    expect(hex(encoded(null))).toBe('f6f6')
    expect(hex(encoded({ method: 1 }))).toBe('f6a1666d6574686f6401')
  })

  test('that is a Uint8Array leaves behind its header as it is', () => {
    const large = new Uint8Array(100_000).fill(7)
    const batch = format.createBatch()
    format.addFirst(batch, request(large))
    const [head, body, ...more] = batch.take()
    expect(hex(head ?? bytes(''))).toBe('80030d64816b636f6d707574652f7371725a000186a0')
    expect(body).toBe(large)
    expect(more).toEqual([])
  })

  test('that does not travel is refused by its path, which begins with request', () => {
    const batch = format.createBatch()
    const error = expectCode('invalid_argument', () => format.addFirst(batch, request({ a: [() => 1] })))
    expect(error.message).toBe('request.a[0] is a function, which cannot be sent')
    const byHand = expectCode('invalid_argument', () => format.addFirst(batch, [() => 1]))
    expect(byHand.message).toBe('message[0] is a function, which cannot be sent')
    expect(batch.size).toBe(0)
  })
})

describe('a request on a lane', () => {
  test.each([3, 30])('is refused where it is cut off, also when its method of %d characters is known', (length) => {
    const known = request(null, { method: 'm'.repeat(length) })
    expectSame(format.decodeFirstOnLane(encoded(known)), known)
    for (let size = 0; size < encoded(known).length; size++) {
      expectCode('invalid_argument', () => format.decodeFirstOnLane(encoded(known).subarray(0, size)))
    }
  })
})

describe('a header', () => {
  const large: MetadataEntries = [['key', 'x'.repeat(DEFAULT_MAX_HEADER_SIZE)]]

  test('over 16 KiB is refused before anything is sent', () => {
    const batch = format.createBatch()
    const { message } = expectCode('resource_exhausted', () => format.addFirst(batch, request(1, { metadata: large })))
    expect(message).toContain(
      'a request header of 16407 bytes (method and metadata) is over the maxHeaderSize of 16384',
    )
    expectCode('resource_exhausted', () => format.addFirst(batch, request(1, { method: 'm'.repeat(20_000) })))
    expect(batch.size).toBe(0)
  })

  test('over 16 KiB is refused where it arrives', () => {
    const payload = encoded(request(1, { metadata: large }), new WireFormat({ maxHeaderSize: 2 ** 20 }))
    expectCode('resource_exhausted', () => format.decodeFirst(payload))
  })

  test('just at the limit passes, one byte more does not', () => {
    const size = cbor.encode(['compute/sqr', null, [['k', 'v']]]).length
    const exact = new WireFormat({ maxHeaderSize: size })
    const payload = encoded(request(1, { metadata: [['k', 'v']] }), exact)
    expect(exact.decodeFirst(payload)).toMatchObject({ message: 1 })
    expectCode('resource_exhausted', () => encoded(request(1, { metadata: [['k', 'vv']] }), exact))
    expectCode('resource_exhausted', () => exact.decodeFirst(encoded(request(1, { metadata: [['k', 'vv']] }))))
  })

  test('and message together are one frame, with its limit', () => {
    const small = new WireFormat({ maxMessageSize: 128 })
    expectCode('resource_exhausted', () => encoded(request(new Uint8Array(120)), small))
    expect(small.decodeFirst(encoded(request(new Uint8Array(100)), small))).toMatchObject({ method: 'compute/sqr' })
  })

  test.each<[string, unknown]>([
    ['nothing', []],
    ['a number for the method', [1]],
    ['null for the method', [null]],
    ['a timeout below 0', ['m', -1]],
    ['a timeout without end', ['m', Number.POSITIVE_INFINITY]],
    ['a timeout that is no number', ['m', Number.NaN]],
    ['a timeout as text', ['m', '1']],
    ['a timeout as bigint', ['m', 1n]],
    ['metadata that are an object', ['m', null, {}]],
    ['metadata that are a map', ['m', null, new Map()]],
    ['metadata that are null', ['m', null, null]],
    ['metadata of one part', ['m', null, [['k']]]],
    ['metadata of three parts', ['m', null, [['k', 'v', 'w']]]],
    ['metadata with a number for a key', ['m', null, [[1, 'v']]]],
    ['metadata with a number for a value', ['m', null, [['k', 1]]]],
    ['metadata with floats for a value', ['m', null, [['k', new Float32Array(1)]]]],
    ['too much', ['m', null, [], 1]],
    ['an object', { method: 'm' }],
    ['a text', 'm'],
    ['undefined', undefined],
    ['a number', 5],
  ])('with %s is refused', (_, header) => {
    const error = expectCode('invalid_argument', () => format.decodeFirst(withHeader(header)))
    expect(error.message).toContain('a request has a header of its method, timeout in ms, and metadata')
  })

  test('in a longer form is read', () => {
    const header = { method: 'm', timeout: undefined, metadata: undefined }
    expect(format.decodeFirst(withHeader(['m', null]))).toStrictEqual({ ...header, message: 1 })
    expect(format.decodeFirst(withHeader(['m', undefined]))).toStrictEqual({ ...header, message: 1 })
    expect(format.decodeFirst(withHeader(['m', 0, []]))).toStrictEqual({
      ...header,
      timeout: 0,
      metadata: [],
      message: 1,
    })
  })

  test.each<[string, Partial<Request>]>([
    ['a timeout without end', { timeout: Number.POSITIVE_INFINITY }],
    ['a lone surrogate in the method', { method: '\ud800' }],
    ['a lone surrogate in the metadata', { metadata: [['k', '\ud800']] }],
    ['a lone surrogate in a key', { metadata: [['\ud800', 'v']] }],
  ])('with %s is not sent', (_, rest) => {
    const batch = format.createBatch()
    expectCode('invalid_argument', () => format.addFirst(batch, request(1, rest)))
    expect(batch.size).toBe(0)
  })

  test.each(['', '81', '816161', 'f6', '81616101ff', 'ff', 'f601ff', 'd81b8001'])(
    'or message that is no CBOR, is missing, or has something behind it, is refused: %s',
    (payload) => {
      expectCode('invalid_argument', () => format.decodeFirst(bytes(payload)))
    },
  )

  test('of any bytes gives a first message or an RpcError', () => {
    const near = fc
      .tuple(anyValue, fc.oneof(anyValue, fc.double()), fc.oneof(anyValue, metadata))
      .map((header) => withHeader(header))
    const property = fc.property(fc.oneof(fc.uint8Array(), near), (payload) => {
      const { error } = outcomeOf(() => format.decodeFirst(payload))
      expect(error?.code ?? 'invalid_argument').toMatch(/^(invalid_argument|resource_exhausted)$/)
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test('limit that makes no sense is refused', () => {
    for (const maxHeaderSize of [0, -1, Number.NaN]) {
      expect(outcomeOf(() => new WireFormat({ maxHeaderSize })).error).toBeInstanceOf(RpcError)
    }
  })
})
