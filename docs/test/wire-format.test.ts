import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { runInThisContext } from 'node:vm'
import { type Code, RpcError } from '@qrpc/core'
import { createCborCodec, decodeVarint, encodeVarint, type Frame, FrameReader, WireFormat } from '@qrpc/wire'
import { describe, expect, test } from 'vitest'
import { code, tableRows } from './markdown.ts'

const page = readFileSync(new URL('../wire-format.md', import.meta.url), 'utf8')
const codec = createCborCodec()
const format = new WireFormat()

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

function hex(encoded: Uint8Array): string {
  return Buffer.from(encoded).toString('hex')
}

function evaluated(text: string): unknown {
  return runInThisContext(`(${text})`)
}

function expectSame(actual: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(actual, expected), `${String(actual)} is to be ${String(expected)}`).toBe(true)
}

interface ErrorParts {
  readonly code: Code
  readonly message: string
  readonly name?: string
  readonly data?: unknown
}

/** A request as the page writes it, without what it has not. */
function request(parts: object): object {
  return { method: '', timeout: undefined, metadata: undefined, ...parts }
}

function encodeFrame(kind: string, value: unknown): Uint8Array {
  const batch = format.createBatch()
  if (kind === 'end') format.addEnd(batch)
  else if (kind === 'message') format.addMessage(batch, value)
  else if (kind === 'first message') format.addFirst(batch, value)
  else {
    const { code: errorCode, message, ...rest } = value as ErrorParts
    format.addSignal(batch, kind as 'status', new RpcError(errorCode, message, rest))
  }
  return Buffer.concat(batch.take())
}

function decodeFrame(kind: string, encoded: Uint8Array): unknown {
  const reader = new FrameReader()
  reader.push(encoded)
  const { control, payload } = reader.next() as Frame
  if (reader.partial || control === kind.endsWith('message')) throw new Error('it is no frame of that kind')
  if (kind === 'message') return format.decodeMessage(payload)
  if (kind === 'first message') return format.decodeFirst(payload)
  const item = format.decodeControl(payload)
  if (item.kind !== kind) throw new Error(`it is no ${kind}`)
  if (!('error' in item)) return undefined
  const { code: errorCode, message, name, data } = item.error
  const rest = { ...(name !== 'RpcError' && { name }), ...(data !== undefined && { data }) }
  return { code: errorCode, message, ...rest }
}

/** Rows of which there must be some, or the page has changed its layout. */
function rows(first: string, second: string, least: number): string[][] {
  const found = tableRows(page, first, second)
  if (found.length < least) throw new Error(`the tables of ${first} and ${second} have only ${found.length} rows`)
  return found
}

describe('docs/wire-format.md, in both directions', () => {
  test.each(rows('varint', 'hex', 10))('varint %s is %s', (value, encoded) => {
    expect(hex(encodeVarint(evaluated(code(value)) as number))).toBe(code(encoded))
    const size = code(encoded).length / 2
    expect(decodeVarint(bytes(code(encoded)))).toEqual({ value: evaluated(code(value)), size })
  })

  test.each(rows('value', 'hex', 50))('value %s is %s', (value, encoded) => {
    expect(hex(codec.encode(evaluated(code(value))))).toBe(code(encoded))
    expectSame(codec.decode(bytes(code(encoded))), evaluated(code(value)))
  })

  test.each(rows('from', 'frame', 20))('%s sends %s', (from = '', frame = '', encoded = '') => {
    const [kind = '', given] = frame.split(/: (.*)/)
    const value = given === undefined ? undefined : evaluated(code(given))
    const sent = kind === 'first message' && from === 'client' ? request(value as object) : value
    expect(hex(encodeFrame(kind, sent))).toBe(code(encoded))
    expectSame(decodeFrame(kind, bytes(code(encoded))), sent)
  })
})

function encodeOnLane(call: number, kind: string, value: unknown, first: boolean): Uint8Array {
  const batch = format.createBatch()
  if (kind === 'lane') format.addLane(batch)
  else if (Number.isNaN(call)) format.addEnd(batch)
  else if (kind === 'message') format.addOnLane(batch, call, value, first)
  else if (kind === 'end') format.addSignalOnLane(batch, call, 'status', undefined)
  else {
    const { code: errorCode, message } = value as ErrorParts
    format.addSignalOnLane(batch, call, kind as 'status', new RpcError(errorCode, message))
  }
  return Buffer.concat(batch.take())
}

describe('docs/wire-format.md, on a lane', () => {
  test.each(rows('lane', 'frame', 8))('the %s sends %s', (from, frame = '', encoded = '') => {
    const [head = '', given] = frame.split(/: (.*)/)
    const [, call, kind = ''] = /^(?:(\d+) )?(\w+)$/.exec(head) ?? []
    const value = given === undefined ? undefined : evaluated(code(given))
    const first = from === 'client' && kind === 'message'
    const sent = first ? request(value as object) : value
    expect(hex(encodeOnLane(Number(call), kind, sent, first))).toBe(code(encoded))
  })
})

describe('docs/wire-format.md, of other encoders', () => {
  test.each(rows('hex', 'value', 20))('%s is read as %s', (encoded, value) => {
    expectSame(codec.decode(bytes(code(encoded))), evaluated(code(value)))
  })

  test.each(rows('hex', 'why', 20))('%s is refused: %s', (encoded) => {
    expect(() => codec.decode(bytes(encoded === '(none)' ? '' : code(encoded)))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })
})
