import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Frame types of RFC 9113, section 6, and one of no meaning. */
export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  unknown: 0xfa,
} as const

export const END_STREAM = 1
export const END_HEADERS = 4

/** An HTTP/2 frame (RFC 9113, section 4.1). */
export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes.writeUInt8(type, 3)
  bytes.writeUInt8(flags, 4)
  bytes.writeUInt32BE(stream, 5)
  return Buffer.concat([bytes, payload])
}

/** Integers of 32 bits, as most payloads are made of. */
export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4)
  return bytes
}

/** The setting of an identifier (RFC 9113, section 6.5.1). */
export function setting(identifier: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, identifier]), uint32(value)])
}

/** SETTINGS that set nothing: how a server begins. */
export const SETTINGS: Buffer = http2Frame(FRAME.settings, 0, 0)

/** How a client begins: 24 bytes, and SETTINGS. */
export const PREFACE: Buffer = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), SETTINGS])

/** The acknowledgement of the other side's SETTINGS, which makes them binding. */
export const SETTINGS_ACK: Buffer = http2Frame(FRAME.settings, 1, 0)

/** A header field as a literal that is not indexed (RFC 7541, section 6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const size = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...size, rest]), bytes])
}

/** The header block of a request. */
export function requestFields(path: string, method = 'POST'): Buffer {
  return Buffer.concat([
    field(':method', method),
    field(':scheme', 'http'),
    field(':path', path),
    field(':authority', 'localhost'),
    field('content-type', 'application/qrpc+cbor'),
  ])
}

/** An HTTP/2 frame that was read. */
export interface RawFrame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** The frames that are complete, and what is left. */
export function parseFrames(bytes: Buffer): { frames: RawFrame[]; rest: Buffer } {
  const frames: RawFrame[] = []
  let rest = bytes
  while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
    const end = 9 + rest.readUIntBE(0, 3)
    frames.push({
      type: rest.readUInt8(3),
      flags: rest.readUInt8(4),
      stream: rest.readUInt32BE(5),
      payload: rest.subarray(9, end),
    })
    rest = rest.subarray(end)
  }
  return { frames, rest }
}

/** A TCP connection, and the HTTP/2 frames that come on it. */
export class RawSocket {
  readonly socket: Socket
  readonly frames: RawFrame[] = []
  /** The server has closed the connection. */
  readonly closed: Promise<unknown>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    // A reset is one way of closing it.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('end', resolve)
      socket.once('close', resolve)
    })
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      const parsed = parseFrames(Buffer.concat([rest, chunk]))
      this.frames.push(...parsed.frames)
      rest = parsed.rest
    })
  }

  static async connect(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', ...options })
    const raw = new RawSocket(socket)
    await once(socket, 'connect')
    return raw
  }

  write(...parts: Uint8Array[]): this {
    this.socket.write(Buffer.concat(parts))
    return this
  }

  /** The error codes of the frames of a type whose last four bytes they are: RST_STREAM, and GOAWAY without data. */
  codes(type: number): number[] {
    return this.frames
      .filter((one) => one.type === type)
      .map(({ payload }) => payload.readUInt32BE(type === FRAME.goaway ? 4 : 0))
  }

  /** Resolves once a frame has come that passes. */
  async frame(passes: (frame: { type: number; stream: number }) => boolean): Promise<void> {
    while (!this.frames.some(passes)) await once(this.socket, 'data')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return
    const gone = once(this.socket, 'close')
    this.socket.destroy()
    await gone
  }
}
