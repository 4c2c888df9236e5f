import { type Code, type MetadataEntries, RpcError } from '@qrpc/core'
import { type ControlItem, encodeVarint, type FrameBatch, WireFormat } from '@qrpc/wire'

const format = new WireFormat({ maxMessageSize: 2 ** 30 })

function bytesOf(add: (batch: FrameBatch) => void): Buffer {
  const batch = format.createBatch()
  add(batch)
  return Buffer.concat(batch.take())
}

/** A client's first frame, as it should be. */
export function request(method: string, message: unknown, metadata?: MetadataEntries, timeout?: number): Buffer {
  return bytesOf((batch) => format.addFirst(batch, { method, message, metadata, timeout }))
}

/** A message frame, as it should be. */
export function message(value: unknown): Buffer {
  return bytesOf((batch) => format.addMessage(batch, value))
}

/** The clean end of a half. */
export const END: Buffer = bytesOf((batch) => format.addEnd(batch))

/** A control frame with an error. */
export function signal(kind: 'status' | 'cancel' | 'reset' | 'stop', code: Code, text = 'as it is'): Buffer {
  return bytesOf((batch) => format.addSignal(batch, kind, new RpcError(code, text)))
}

/** The head of a frame, whatever length it declares. */
export function head(length: bigint, control = false): Buffer {
  return Buffer.from(encodeVarint(length * 2n + (control ? 1n : 0n)))
}

/** A frame with any payload, in hex. */
export function frame(payload: string, control = false): Buffer {
  const bytes = Buffer.from(payload, 'hex')
  return Buffer.concat([head(BigInt(bytes.length), control), bytes])
}

/** What the frames of one direction of a stream say. */
export class Received {
  readonly messages: unknown[] = []
  readonly controls: ControlItem[] = []
  readonly #reader = format.createReader()

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk)
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      if (next.control) this.controls.push(format.decodeControl(next.payload))
      else this.messages.push(format.decodeMessage(next.payload))
    }
  }

  /** The codes and ends that came. */
  get ends(): (Code | 'end')[] {
    return this.controls.map((item) => ('error' in item ? item.error.code : 'end'))
  }
}
