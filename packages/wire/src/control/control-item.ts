import { isCode, RpcError } from '@qrpc/core'
import type { CborCodec } from '../cbor/cbor-codec.ts'

/** What a control frame says, but for the empty one: the clean end of the half. */
export type Signal = 'status' | 'cancel' | 'reset' | 'stop'

/**
 * What a control frame says:
 * - `end`: the half ends cleanly.
 * - `status`: the half ends with an error, after what was sent.
 * - `cancel`: both halves are over at once.
 * - `reset`: the half is over at once, and what the peer has not read of it is void.
 * - `stop`: the peer need not send anything more.
 * - `lane`: the stream is a lane, which carries calls of one message each way.
 */
export type ControlItem =
  | { readonly kind: 'end' }
  | { readonly kind: 'lane' }
  | { readonly kind: Signal; readonly error: RpcError }

// The place of each is its number on the wire.
const SIGNALS: readonly Signal[] = ['status', 'cancel', 'reset', 'stop']

const DEFAULT_NAME = 'RpcError'

/** Characters of an error's text that travel; the rest is cut off. */
const LONGEST_TEXT = 8192

const END: ControlItem = { kind: 'end' }
const LANE: ControlItem = { kind: 'lane' }

/** What a client begins a lane with: an array of this one number. */
const LANE_NUMBER = SIGNALS.length

/**
 * A signal and its error: code, message, and the name and data of a declared error. It never throws, for a half must be
 * able to end: where the data cannot be encoded or does not fit, the error is `internal` and says so.
 *
 * @param maxSize Bytes that the item may have; 128 or more.
 */
export function encodeSignal(kind: Signal, error: RpcError, cbor: CborCodec, maxSize: number): Uint8Array {
  const number = SIGNALS.indexOf(kind)
  const item: unknown[] = [number, error.code, text(error.message)]
  if (error.data !== undefined) item.push(text(error.name), error.data)
  else if (error.name !== DEFAULT_NAME) item.push(text(error.name))
  try {
    const encoded = cbor.encode(item, kind)
    if (encoded.length <= maxSize) return encoded
  } catch {
    // What was wrong is on this side; the peer learns that there was an error, and its code.
  }
  const [code, why] =
    error.data === undefined ? [error.code, 'its text does not fit'] : ['internal', 'its data cannot be sent']
  return cbor.encode([number, code, `the call failed with ${error.code}; ${why}`])
}

/** What makes a stream a lane, as its first frame. */
export function encodeLane(cbor: CborCodec): Uint8Array {
  return cbor.encode([LANE_NUMBER])
}

/**
 * Reads the payload of a control frame. A code that is not known is `unknown`.
 *
 * @throws RpcError `invalid_argument` for what is no control item.
 */
export function decodeControlItem(payload: Uint8Array, cbor: CborCodec): ControlItem {
  if (payload.length === 0) return END
  const item = cbor.decode(payload)
  if (!Array.isArray(item) || item.length > 5) throw wrongShape()
  const [number, code, message, name = DEFAULT_NAME, data] = item as unknown[]
  if (item.length === 1 && number === LANE_NUMBER) return LANE
  if (typeof code !== 'string' || typeof message !== 'string' || typeof name !== 'string') throw wrongShape()
  const kind = typeof number === 'number' ? SIGNALS[number] : undefined
  if (kind === undefined) throw wrongShape()
  return { kind, error: new RpcError(isCode(code) ? code : 'unknown', message, { name, data }) }
}

/** Errors are thrown with any text; UTF-8 and the frame's limit allow not any. */
function text(value: string): string {
  const cut = value.length <= LONGEST_TEXT ? value : `${value.slice(0, LONGEST_TEXT)}...`
  return (cut as string & { toWellFormed(): string }).toWellFormed()
}

function wrongShape(): RpcError {
  return new RpcError('invalid_argument', 'the control frame holds no status, cancel, reset or stop')
}
