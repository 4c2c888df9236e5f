import { type Code, RpcError } from '@qrpc/core'
import { type ControlItem, decodeVarint, encodeVarint, type FrameBatch, WireFormat } from '@qrpc/wire'
import { END, frame, head } from './wire-bytes.ts'

const format = new WireFormat({ maxMessageSize: 2 ** 30 })

function bytesOf(add: (batch: FrameBatch) => void): Buffer {
  const batch = format.createBatch()
  add(batch)
  return Buffer.concat(batch.take())
}

/** The first frame of a lane. */
export const LANE: Buffer = frame('8104', true)
/** The end of a lane, or the wish for no further calls. */
export const LANE_END: Buffer = END

/** A call in one frame. */
export function call(number: number, method: string, message?: unknown): Buffer {
  const request = { method, message, metadata: undefined, timeout: undefined }
  return bytesOf((batch) => format.addOnLane(batch, number, request, true))
}

/** A response in one frame. */
export function response(number: number, message: unknown): Buffer {
  return bytesOf((batch) => format.addOnLane(batch, number, message, false))
}

/** A frame with this tag: `call << 2 | kind`. */
export function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat([encodeVarint(tag), ...parts])
  return Buffer.concat([head(BigInt(payload.length)), payload])
}

/** The start of a message of `size` bytes, with the first of them. */
export function start(number: number, size: number, bytes: Uint8Array = new Uint8Array(0)): Buffer {
  return tagged(number * 4 + 1, encodeVarint(size), bytes)
}

/** Further bytes of a message. */
export function piece(number: number, bytes: Uint8Array): Buffer {
  return tagged(number * 4 + 2, bytes)
}

/** A control item for a call; without a code the clean end. */
export function signalFor(number: number, kind: 'status' | 'cancel' | 'reset' | 'stop', code?: Code): Buffer {
  const error = code && new RpcError(code, 'as it is')
  return bytesOf((batch) => format.addSignalOnLane(batch, number, kind, error))
}

/** A control frame for a call, with this item in hex. */
export function controlFor(number: number, item: string): Buffer {
  return frame(`${Buffer.from(encodeVarint(number)).toString('hex')}${item}`, true)
}

/** What the frames of one direction of a lane say, or of a stream that is to be one. */
export class LaneReader {
  /** The calls that were answered, and how: by a message, a code, or `end`. In a client's direction: its calls and cancels. */
  readonly answers: [call: number, answer: unknown][] = []
  /** Empty control frames that are for no call. */
  ends = 0
  readonly #reader = format.createReader()
  readonly #pieces = new Map<number, { size: number; bytes: Buffer }>()
  readonly #first: boolean
  #begun = false
  #waiting: (() => void)[] = []

  /** @param first Whether it begins with what makes it a lane. */
  constructor(first = false) {
    this.#first = first
  }

  /** Reads what comes on the stream in the stream's place. */
  static of(stream: { push(chunk: Uint8Array): void }): LaneReader {
    const reader = new LaneReader()
    stream.push = (chunk) => reader.push(chunk)
    return reader
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk)
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      if (next.control) this.#onControl(next.payload)
      else this.#onMessage(next.payload)
    }
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves once the condition holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** What the call was answered with, once it was. */
  async answer(number: number): Promise<unknown> {
    await this.until(() => this.answers.some(([answered]) => answered === number))
    return this.answers.find(([answered]) => answered === number)?.[1]
  }

  #onControl(payload: Uint8Array): void {
    if (payload.length === 0) this.ends++
    else if (this.#first && !this.#begun) this.#begun = true
    else {
      const { value, size } = numberIn(payload)
      const item: ControlItem = format.decodeControl(payload.subarray(size))
      this.answers.push([value, 'error' in item ? item.error.code : item.kind])
    }
  }

  #onMessage(frameBytes: Uint8Array): void {
    const { value: tag, size } = numberIn(frameBytes)
    const number = Math.floor(tag / 4)
    let rest = frameBytes.subarray(size)
    if (tag % 4 === 1) {
      const whole = numberIn(rest)
      this.#pieces.set(number, { size: whole.value, bytes: Buffer.alloc(0) })
      rest = rest.subarray(whole.size)
    }
    const pieces = this.#pieces.get(number)
    if (pieces === undefined) this.#answered(number, rest)
    else {
      pieces.bytes = Buffer.concat([pieces.bytes, rest])
      if (pieces.bytes.length === pieces.size) this.#answered(number, pieces.bytes)
    }
  }

  #answered(number: number, payload: Uint8Array): void {
    this.answers.push([number, this.#first ? format.decodeFirst(payload) : format.decodeMessage(payload)])
  }
}

function numberIn(bytes: Uint8Array): { value: number; size: number } {
  const { value, size } = decodeVarint(bytes) as { value: number | bigint; size: number }
  return { value: Number(value), size }
}
