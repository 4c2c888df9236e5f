import { RpcError } from '@qrpc/core'
import { type Codec, WireFormat } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { expectCode } from './expect-code.ts'
import { payloadOf } from './frames.ts'
import { bytes, hex, join } from './hex.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

const json: Codec = {
  encode: (value) => encoder.encode(JSON.stringify(value)),
  decode: (payload) => JSON.parse(decoder.decode(payload)) as unknown,
}

function request(message: unknown): object {
  return { method: 'm', timeout: undefined, metadata: undefined, message }
}

describe('a wire format with another codec', () => {
  const format = new WireFormat({ codec: json })

  test('has messages as that writes them', () => {
    const payload = payloadOf(format, (batch) => format.addMessage(batch, { a: [1, null] }))
    expect(Buffer.from(payload).toString()).toBe('{"a":[1,null]}')
    expect(format.decodeMessage(payload)).toEqual({ a: [1, null] })
  })

  test('has headers, control items and the data of errors in CBOR', () => {
    const first = payloadOf(format, (batch) => format.addFirst(batch, request([1])))
    expect(hex(first)).toBe(`81616d${Buffer.from('[1]').toString('hex')}`)
    expect(format.decodeFirst(first)).toEqual(request([1]))
    const byHand = payloadOf(format, (batch) => format.addFirst(batch, [1]))
    expect(hex(byHand)).toBe(`f6${Buffer.from('[1]').toString('hex')}`)
    expect(format.decodeFirst(byHand)).toEqual([1])
    const error = new RpcError('aborted', 'no', { name: 'N', data: 5n })
    const status = payloadOf(format, (batch) => format.addSignal(batch, 'status', error))
    expect(hex(status)).toBe('850067 61626f72746564 626e6f 614e 1b0000000000000005'.replaceAll(' ', ''))
  })

  test('lets that codec have bytes, too', () => {
    const payload = payloadOf(format, (batch) => format.addMessage(batch, Uint8Array.of(7)))
    expect(Buffer.from(payload).toString()).toBe('{"0":7}')
  })

  test('makes invalid_argument of whatever that throws', () => {
    const batch = format.createBatch()
    const refused = expectCode('invalid_argument', () => format.addMessage(batch, 1n))
    expect(refused.message).toBe('message cannot be encoded')
    expect(refused.cause).toBeInstanceOf(TypeError)
    expect(expectCode('invalid_argument', () => format.addFirst(batch, request(1n))).message).toBe(
      'request cannot be encoded',
    )
    expect(batch.size).toBe(0)
    expect(expectCode('invalid_argument', () => format.decodeMessage(bytes('7b'))).cause).toBeInstanceOf(SyntaxError)
    expect(expectCode('invalid_argument', () => format.decodeMessage(bytes('22ff22'))).cause).toBeInstanceOf(TypeError)
  })

  test('lets an RpcError of it through', () => {
    const own = new RpcError('resource_exhausted', 'too much')
    const refusing = new WireFormat({
      codec: {
        encode: () => {
          throw own
        },
        decode: () => {
          throw own
        },
      },
    })
    expect(expectCode('resource_exhausted', () => refusing.addMessage(refusing.createBatch(), 1))).toBe(own)
    expect(expectCode('resource_exhausted', () => refusing.decodeMessage(bytes('00')))).toBe(own)
  })

  test('copies at once what that encodes into one buffer, over and over', () => {
    const buffer = new Uint8Array(10_000)
    const reusing = new WireFormat({
      codec: { encode: (value) => buffer.fill(value as number), decode: (payload) => payload[9999] },
    })
    const batch = reusing.createBatch()
    for (const n of [1, 2, 3]) reusing.addMessage(batch, n)
    const reader = reusing.createReader()
    reader.push(join(batch.take()))
    expect([1, 2, 3].map(() => reusing.decodeMessage(reader.next()?.payload ?? bytes('')))).toEqual([1, 2, 3])
  })

  test('sends large messages as they are where that says they stay', () => {
    const buffer = new Uint8Array(10_000)
    const stable = new WireFormat({ codec: { stable: true, encode: () => buffer, decode: () => 0 } })
    const batch = stable.createBatch()
    stable.addMessage(batch, 1)
    expect(batch.take()).toContain(buffer)
  })
})
