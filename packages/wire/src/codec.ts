/** Turns messages into bytes and back. Both sides of a connection need the same one. */
export interface Codec {
  /**
   * The bytes of a message. They are valid until the next `encode`, unless {@link Codec.stable} says otherwise: whoever
   * keeps them longer copies them.
   *
   * @param name What errors call the value: `request`. Default: `message`.
   * @throws RpcError `invalid_argument` for a value that would not come back as it is.
   */
  encode(value: unknown, name?: string): Uint8Array
  /**
   * The message that the bytes are, all of them. Byte strings in it may be views on `bytes`.
   *
   * @throws RpcError `invalid_argument` for bytes that are no message. Nothing else, whatever the bytes are.
   */
  decode(bytes: Uint8Array): unknown
  /** Whether what `encode` returns stays as it is. Default: false. */
  readonly stable?: boolean
  /**
   * For codecs in which a message that is a `Uint8Array` is a head and then the bytes themselves: the head, valid until
   * the next call. Such messages then leave without a copy. Default: all messages go through `encode`.
   */
  bytesHead?(length: number): Uint8Array
}
