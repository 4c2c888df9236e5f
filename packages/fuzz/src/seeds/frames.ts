import { RpcError } from '@qrpc/core'
import { type Frame, type FrameBatch, FrameReader, WireFormat } from '@qrpc/wire'
import { concat } from '../engine/layout.ts'

/** The format with its defaults, to make what is valid with. */
export const format: WireFormat = new WireFormat()

export function bytesOf(add: (batch: FrameBatch) => void): Uint8Array {
  const batch = format.createBatch()
  add(batch)
  return concat(batch.take())
}

/** The frames that are complete. @throws RpcError for what is no frame. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const reader = new FrameReader()
  reader.push(bytes)
  const frames: Frame[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  return frames
}

/** A request as a client begins a stream with it. */
export function request(method: string, message: unknown): Uint8Array {
  return bytesOf((batch) => format.addFirst(batch, requestOf(method, message)))
}

/** A request on a lane. */
export function call(number: number, method: string, message: unknown): Uint8Array {
  return bytesOf((batch) => format.addOnLane(batch, number, requestOf(method, message), true))
}

/** A response on a lane. */
export function response(number: number, message: unknown): Uint8Array {
  return bytesOf((batch) => format.addOnLane(batch, number, message, false))
}

export function message(value: unknown): Uint8Array {
  return bytesOf((batch) => format.addMessage(batch, value))
}

export const END: Uint8Array = bytesOf((batch) => format.addEnd(batch))

export function signal(kind: 'status' | 'cancel' | 'reset' | 'stop'): Uint8Array {
  return bytesOf((batch) => format.addSignal(batch, kind, ERROR))
}

export function signalOnLane(number: number, kind: 'status' | 'cancel' | 'reset' | 'stop'): Uint8Array {
  return bytesOf((batch) => format.addSignalOnLane(batch, number, kind, ERROR))
}

const ERROR = new RpcError('aborted', 'as it is')

function requestOf(method: string, value: unknown) {
  return { method, message: value, metadata: undefined, timeout: undefined }
}
