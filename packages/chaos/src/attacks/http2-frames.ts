const FIRST_STREAM = 1

export const END_HEADERS = 4

/** Frame types of RFC 9113, section 6. */
export const FRAME = { headers: 1, rstStream: 3, settings: 4, ping: 6, continuation: 9 } as const

/** A frame as a client that keeps to no rules writes it (RFC 9113, section 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes.writeUInt8(type, 3)
  bytes.writeUInt8(flags, 4)
  bytes.writeUInt32BE(stream, 5)
  bytes.set(payload, 9)
  return bytes
}

/** How a client begins: 24 bytes, and SETTINGS that set nothing. */
export const PREFACE: Buffer = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(FRAME.settings, 0, 0),
])

/** A request for a method: literals that are not indexed (RFC 7541, section 6.2.2). */
export function requestHeaders(path: string): Buffer {
  const fields: readonly [string, string][] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/qrpc+cbor'],
  ]
  const parts = fields.flatMap(([name, value]) => [
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
  return Buffer.concat(parts)
}

/** The stream of the nth request of a client. */
export function streamOf(n: number): number {
  return FIRST_STREAM + 2 * n
}
