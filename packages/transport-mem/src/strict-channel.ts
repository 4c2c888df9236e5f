import { type ChannelPairSettings, errorForPeer, isRequest, MemoryChannel, type Peer, RpcError } from '@qrpc/core'

/** What turns messages into bytes and back. Any codec of a network transport will do. */
export interface StrictCodec {
  /**
   * The bytes of a message, valid until the next call.
   *
   * @param name What errors call the value: `request` or `message`.
   * @throws For a value that would not come back as it is.
   */
  encode(value: unknown, name?: string): Uint8Array
  /** The message that the bytes are. */
  decode(bytes: Uint8Array): unknown
}

/** As `openPair` of `@qrpc/core`, of channels whose messages go through the codec. */
export function openStrictPair(settings: ChannelPairSettings, codec: StrictCodec): MemoryChannel {
  const opened = new StrictChannel(settings, settings.openedPeer, codec, true)
  const accepted = new StrictChannel(settings, settings.acceptedPeer, codec, false)
  opened.other = accepted
  accepted.other = opened
  return opened
}

/** As `errorForPeer` of `@qrpc/core`, for errors whose data go through the codec: those that cannot make the error `internal`. */
export function strictErrorForPeer(codec: StrictCodec): (error: RpcError) => RpcError {
  return (error) => {
    const { code, message, name, data } = error
    if (data === undefined) return errorForPeer(error)
    try {
      return new RpcError(code, message, { name, data: throughCodec(codec, data, 'data') })
    } catch {
      return new RpcError('internal', `the call failed with ${code}; its data cannot be sent`)
    }
  }
}

/** One end of a pair whose messages arrive as over a network. */
class StrictChannel extends MemoryChannel {
  readonly #codec: StrictCodec
  #requestDue: boolean

  constructor(settings: ChannelPairSettings, peer: Peer, codec: StrictCodec, opened: boolean) {
    super(settings, peer, !opened)
    this.#codec = codec
    this.#requestDue = opened
  }

  override send(message: unknown, last = false): Promise<void> | undefined {
    if (this.sendOver) throw this.notSending()
    return super.send(this.#asItArrives(message), last)
  }

  override trySend(message: unknown): boolean {
    if (this.sendOver) throw this.notSending()
    return super.trySend(this.#asItArrives(message))
  }

  /** Of a request, its message alone is written by a codec; the rest has a header of its own on every wire. */
  #asItArrives(message: unknown): unknown {
    if (!this.#requestDue || !isRequest(message)) {
      const arrives = throughCodec(this.#codec, message, 'message')
      this.#requestDue = false
      return arrives
    }
    const arrives = throughCodec(this.#codec, message.message, 'request')
    this.#requestDue = false
    return { method: message.method, metadata: message.metadata, timeout: message.timeout, message: arrives }
  }
}

/** @throws RpcError what the codec throws, `invalid_argument` where that is no `RpcError`. */
function throughCodec(codec: StrictCodec, value: unknown, name: string): unknown {
  try {
    // Copied, for what is decoded may be views on it.
    return codec.decode(new Uint8Array(codec.encode(value, name)))
  } catch (error) {
    if (error instanceof RpcError) throw error
    throw new RpcError('invalid_argument', `${name} cannot be encoded`, { cause: error })
  }
}
