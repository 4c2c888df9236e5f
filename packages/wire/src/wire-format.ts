import { isRequest, PlainRequest, type Request, RpcError } from '@qrpc/core'
import { asRefused, type CborCodec, createCborCodec } from './cbor/cbor-codec.ts'
import type { CborLimits } from './cbor/limits.ts'
import type { Codec } from './codec.ts'
import { type ControlItem, decodeControlItem, encodeLane, encodeSignal, type Signal } from './control/control-item.ts'
import { checkMaxHeaderSize, encodeRequestHeader, NO_HEADER, splitFirst } from './control/request-header.ts'
import { checkMaxMessageSize, type FrameLimits, tooLarge } from './frame/frame.ts'
import { FrameBatch } from './frame/frame-batch.ts'
import { FrameReader } from './frame/frame-reader.ts'
import { CutMessage } from './lane/cut-message.ts'
import { MethodHeaders } from './lane/method-headers.ts'
import { MESSAGE, PIECE_SIZE, tagOf } from './lane/tag.ts'

/** How messages become bytes, and how large they may be. */
export interface WireOptions extends FrameLimits, CborLimits {
  /**
   * Bytes of a request's header: method, timeout and metadata. Default: 16 KiB. Sane: 4 KiB to 64 KiB.
   * As `grpc.max_metadata_size` of gRPC.
   */
  readonly maxHeaderSize?: number | undefined
  /** Encodes and decodes messages; headers and control items are always CBOR. Default: CBOR. */
  readonly codec?: Codec | undefined
}

// Methods whose headers are kept: a contract has far fewer, and calls by hand may name any.
const MOST_KEPT_HEADERS = 1000
const LONGEST_KEPT_METHOD = 256

const NOTHING = new Uint8Array(0)

/** The wire format with its options: one for a connector or listener, shared by all its channels. */
export class WireFormat {
  /** Bytes that a frame's payload may have. */
  readonly maxMessageSize: number
  readonly #maxHeaderSize: number
  readonly #cbor: CborCodec
  readonly #codec: Codec
  readonly #plainHeaders = new Map<string, Uint8Array>()
  readonly #methods = new MethodHeaders()

  /** @throws RpcError `invalid_argument` for limits that make no sense. */
  constructor(options: WireOptions = {}) {
    this.maxMessageSize = checkMaxMessageSize(options.maxMessageSize)
    this.#maxHeaderSize = checkMaxHeaderSize(options.maxHeaderSize)
    this.#cbor = createCborCodec(options)
    this.#codec = options.codec ?? this.#cbor
  }

  /** A reader for one direction of a substream. */
  createReader(): FrameReader {
    return new FrameReader(this)
  }

  /** A batch for what is sent in one turn. */
  createBatch(): FrameBatch {
    return new FrameBatch(this)
  }

  /**
   * Adds the first message of a client: a {@link Request}, or what was sent on a channel that was opened by hand.
   *
   * @throws RpcError `invalid_argument` for a value that does not travel, `resource_exhausted` for a header or frame over
   * its limit. The batch is then as it was. So do all that add.
   */
  addFirst(batch: FrameBatch, message: unknown): void {
    if (isRequest(message)) this.#addValue(batch, message.message, 'request', this.#header(message))
    else this.#addValue(batch, message, 'message', NO_HEADER)
  }

  /**
   * Adds a message. A `Uint8Array` of more than 4 KiB leaves as it is, without a copy: it must not change until it is sent.
   *
   * @param name What errors call the value. Default: `message`.
   */
  addMessage(batch: FrameBatch, message: unknown, name = 'message'): void {
    this.#addValue(batch, message, name, NOTHING)
  }

  /**
   * Adds the message of a call on a lane: the request where `first` is set, else the response. Throws as
   * {@link addFirst} does.
   *
   * @returns What is too large for one frame, to be sent in pieces; nothing of it is in the batch then.
   */
  addOnLane(batch: FrameBatch, call: number, message: unknown, first: boolean): CutMessage | undefined {
    let header: Uint8Array = NOTHING
    let value = message
    if (first) {
      header = isRequest(message) ? this.#header(message) : NO_HEADER
      if (header !== NO_HEADER) value = (message as Request).message
    }
    const name = first && header !== NO_HEADER ? 'request' : 'message'
    const codec = this.#codec
    let head: Uint8Array = NOTHING
    let payload: Uint8Array
    let owned = true
    if (value instanceof Uint8Array && codec.bytesHead !== undefined) {
      head = codec.bytesHead(value.length)
      payload = value
    } else {
      payload = this.#encode(value, name)
      owned = codec.stable === true
    }
    const size = header.length + head.length + payload.length
    if (size <= PIECE_SIZE) {
      batch.add(payload, false, owned, header, head, tagOf(call, MESSAGE))
      return undefined
    }
    if (size > this.maxMessageSize) throw tooLarge(size, this.maxMessageSize)
    return new CutMessage(call, size, header, head, owned ? payload : payload.slice())
  }

  /** Adds the first frame of a lane. */
  addLane(batch: FrameBatch): void {
    batch.add(encodeLane(this.#cbor), true, true)
  }

  /** Adds a control item for a call on a lane; without an error the clean end. Does not throw. */
  addSignalOnLane(batch: FrameBatch, call: number, kind: Signal, error: RpcError | undefined): void {
    const item = error === undefined ? NOTHING : encodeSignal(kind, error, this.#cbor, this.maxMessageSize)
    batch.add(item, true, true, NOTHING, NOTHING, call)
  }

  /** Adds the clean end of the half: the empty control frame. */
  addEnd(batch: FrameBatch): void {
    batch.add(NOTHING, true, true)
  }

  /** Adds a control item with an error. It does not throw: data that cannot be sent makes the error `internal`. */
  addSignal(batch: FrameBatch, kind: Signal, error: RpcError): void {
    batch.add(encodeSignal(kind, error, this.#cbor, this.maxMessageSize), true, true)
  }

  /**
   * Reads the payload of a client's first message frame. Throws as {@link decodeMessage}, and `resource_exhausted` for a
   * header over its limit.
   *
   * @param method What the message most likely is a request for.
   */
  decodeFirst(payload: Uint8Array, method?: string): unknown {
    if (method !== undefined) {
      const plain = this.#plainHeader(method)
      if (startsWith(payload, plain)) {
        return new PlainRequest(method, this.decodeMessage(viewFrom(payload, plain.length)))
      }
    }
    const { header, message } = splitFirst(payload, this.#cbor, this.#maxHeaderSize)
    const decoded = this.decodeMessage(message)
    if (header !== undefined) return { ...header, message: decoded }
    // No encoder writes it, and it would pass by the limit of headers.
    if (isRequest(decoded)) throw new RpcError('invalid_argument', 'a request without a header')
    return decoded
  }

  /** Reads a request on a lane, where nothing has told the method before. Throws as {@link decodeFirst} does. */
  decodeFirstOnLane(payload: Uint8Array): unknown {
    const method = this.#methods.of(payload)
    if (method !== undefined) return this.decodeFirst(payload, method)
    const first = this.decodeFirst(payload)
    if (isRequest(first) && first.timeout === undefined && first.metadata === undefined)
      this.#methods.keep(first.method)
    return first
  }

  /**
   * Reads the payload of a message frame.
   *
   * @throws RpcError `invalid_argument` for bytes that are no message.
   */
  decodeMessage(payload: Uint8Array): unknown {
    try {
      return this.#codec.decode(payload)
    } catch (error) {
      throw asRefused(error, 'the message cannot be decoded')
    }
  }

  /** Reads the payload of a control frame. Throws as {@link decodeMessage}. */
  decodeControl(payload: Uint8Array): ControlItem {
    return decodeControlItem(payload, this.#cbor)
  }

  #addValue(batch: FrameBatch, value: unknown, name: string, header: Uint8Array): void {
    const codec = this.#codec
    if (value instanceof Uint8Array && codec.bytesHead !== undefined) {
      batch.add(value, false, true, header, codec.bytesHead(value.length))
    } else batch.add(this.#encode(value, name), false, codec.stable === true, header)
  }

  #encode(value: unknown, name: string): Uint8Array {
    try {
      return this.#codec.encode(value, name)
    } catch (error) {
      throw asRefused(error, `${name} cannot be encoded`)
    }
  }

  #header(request: Request): Uint8Array {
    if (request.timeout === undefined && request.metadata === undefined) return this.#plainHeader(request.method)
    return encodeRequestHeader(request, this.#cbor, this.#maxHeaderSize)
  }

  /** Most requests are a method and no more, over and over. */
  #plainHeader(method: string): Uint8Array {
    const kept = this.#plainHeaders.get(method)
    if (kept !== undefined) return kept
    const request = new PlainRequest(method, undefined)
    const header = new Uint8Array(encodeRequestHeader(request, this.#cbor, this.#maxHeaderSize))
    // Emptied when it is full, so that a peer that makes up methods cannot fill it for good.
    if (this.#plainHeaders.size >= MOST_KEPT_HEADERS) this.#plainHeaders.clear()
    if (method.length <= LONGEST_KEPT_METHOD) this.#plainHeaders.set(method, header)
    return header
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  const { length } = start
  if (bytes.length < length) return false
  for (let i = 0; i < length; i++) if (bytes[i] !== start[i]) return false
  return true
}

function viewFrom(bytes: Uint8Array, offset: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset)
}
