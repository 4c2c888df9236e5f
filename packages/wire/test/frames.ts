import type { Frame, FrameBatch, WireFormat } from '@qrpc/wire'
import { join } from './hex.ts'

/** The frames that a call adds to a batch, read back. */
export function framesOf(format: WireFormat, add: (batch: FrameBatch) => void): Frame[] {
  const batch = format.createBatch()
  add(batch)
  const reader = format.createReader()
  reader.push(join(batch.take()))
  const frames: Frame[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  return frames
}

/** The payload of the only frame that a call adds. */
export function payloadOf(format: WireFormat, add: (batch: FrameBatch) => void): Uint8Array {
  const frames = framesOf(format, add)
  if (frames.length !== 1) throw new Error(`there are ${frames.length} frames`)
  return (frames[0] as Frame).payload
}
