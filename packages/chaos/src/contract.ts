import { bidiStreaming, clientStreaming, notify, serverStreaming, service, unary } from '@qrpc/core'

/** What a handler is asked to do. */
export interface Asked {
  /** The number of the call: no other has it. */
  readonly id: number
  /** How many updates the client sends. */
  readonly updates: number
  /** How many responses it wants; a bidi stream gives one for each update, too. */
  readonly responses: number
  /** Bytes of the request, and of each response. */
  readonly bytes: Uint8Array
  /** How long the handler stops to think, in ms, before the message of that number. */
  readonly stall?: { readonly before: number; readonly ms: number } | undefined
  /** Before which message the handler fails with `aborted`. */
  readonly failBefore?: number | undefined
  /** Answers after so many updates, whether there are more or not. */
  readonly answerAfter?: number | undefined
  /** Does nothing until the call is cut short. */
  readonly hang?: boolean | undefined
}

/** One message of a stream: they are numbered from 0. */
export interface Item {
  readonly n: number
  readonly bytes: Uint8Array
}

/** What is done under faults: a method of each pattern. */
export const Chaos = service('chaos', {
  echo: unary<Asked, Item>(),
  tell: notify<Asked>(),
  collect: clientStreaming<Asked, Item, Item>(),
  produce: serverStreaming<Asked, Item>(),
  talk: bidiStreaming<Asked, Item, Item>(),
})

/** The bytes of a message: from them it can be told to be whole, and the one that it says it is. */
export function bytesOf(id: number, n: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill((id + n) & 0xff)
  if (size >= STAMP) new DataView(bytes.buffer).setFloat64(0, id * MOST_ITEMS + n)
  return bytes
}

/** What is wrong with the bytes of a message, if anything. */
export function flawIn(bytes: Uint8Array, id: number, n: number, size: number): string | undefined {
  if (bytes.length !== size) return `has ${bytes.length} bytes instead of ${size}`
  return Buffer.compare(bytes, bytesOf(id, n, size)) === 0 ? undefined : 'has other bytes than were sent'
}

const STAMP = 8
const MOST_ITEMS = 2 ** 20
