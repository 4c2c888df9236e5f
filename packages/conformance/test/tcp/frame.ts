import { deserialize, serialize } from 'node:v8'
import { type Code, RpcError } from '@qrpc/core'

/** An error on its way: what the peer may know of it. */
export interface Status {
  readonly code: Code
  readonly message: string
  readonly name: string
  readonly data: unknown
}

/** What the two ends of a channel tell each other. */
export type Frame =
  | { readonly kind: 'message'; readonly message: unknown; readonly last: boolean }
  | { readonly kind: 'end'; readonly status: Status | undefined }
  | { readonly kind: 'reset' | 'stop' | 'cancel'; readonly status: Status }
  /** The reader has taken a message: the sender may send another. */
  | { readonly kind: 'credit' }

const HEADER_BYTES = 4

/** The length in bytes, and the frame. @throws RpcError `invalid_argument` for what cannot be cloned. */
export function encodeFrame(frame: Frame): Buffer {
  try {
    const body = serialize(frame)
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32BE(body.length)
    return Buffer.concat([header, body])
  } catch (error) {
    throw new RpcError('invalid_argument', 'the message cannot be cloned', { cause: error })
  }
}

/** Frames out of the chunks that a socket gives. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    for (let size = frameSize(bytes); bytes.length >= size; size = frameSize(bytes)) {
      frames.push(deserialize(bytes.subarray(HEADER_BYTES, size)) as Frame)
      bytes = bytes.subarray(size)
    }
    this.#bytes = bytes
    return frames
  }
}

/** Header included; as much as the header while that is not there. */
function frameSize(bytes: Buffer): number {
  return HEADER_BYTES + (bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32BE())
}

export function toStatus({ code, message, name, data }: RpcError): Status {
  return { code, message, name, data }
}

export function fromStatus({ code, message, name, data }: Status): RpcError {
  return new RpcError(code, message, { name, data })
}
