import { randomBytes } from 'node:crypto'

/** Bytes of the connection ids that this side chooses: short headers do not tell how long they are. */
export const CONNECTION_ID_SIZE = 20

const LONG_HEADER = 0x80
const LONG_ID_LENGTH_AT = 5

/** A connection id of this side's own. */
export function newConnectionId(): Uint8Array {
  return new Uint8Array(randomBytes(CONNECTION_ID_SIZE))
}

/** A connection id as the key of a map. */
export function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}

/** The key of the id that a datagram is for (RFC 9000, section 17); `undefined` for what is no QUIC packet. */
export function destinationKey(datagram: Buffer): string | undefined {
  const first = datagram[0]
  if (first === undefined) return undefined
  if ((first & LONG_HEADER) === 0) {
    return datagram.length > CONNECTION_ID_SIZE ? datagram.toString('latin1', 1, 1 + CONNECTION_ID_SIZE) : undefined
  }
  const length = datagram[LONG_ID_LENGTH_AT]
  if (length === undefined || datagram.length <= LONG_ID_LENGTH_AT + 1 + length) return undefined
  return datagram.toString('latin1', LONG_ID_LENGTH_AT + 1, LONG_ID_LENGTH_AT + 1 + length)
}

/** Whether the datagram begins with a long header: only these can begin a connection. */
export function hasLongHeader(datagram: Buffer): boolean {
  return ((datagram[0] ?? 0) & LONG_HEADER) !== 0
}
