import { createCipheriv, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Frame types of RFC 9000, section 19. */
export const FRAME = {
  ping: 0x01,
  resetStream: 0x04,
  stopSending: 0x05,
  crypto: 0x06,
  newToken: 0x07,
  stream: 0x0a,
  maxData: 0x10,
  maxStreamsBidi: 0x12,
  newConnectionId: 0x18,
  retireConnectionId: 0x19,
  pathChallenge: 0x1a,
  handshakeDone: 0x1e,
  datagram: 0x31,
} as const

/** Integers and bytes of a frame, one after the other; numbers as variable-length integers (RFC 9000, section 16). */
export function frameOf(...parts: (number | bigint | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'object' ? part : varint(BigInt(part)))))
}

function varint(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  if (value < 64n) return Buffer.from([Number(value)])
  buffer.writeBigUInt64BE(value | (3n << 62n))
  return buffer
}

/**
 * Makes packets of a connection that quiche would not: with its keys, from the key log, but with any frames. The packet
 * numbers begin far above those of quiche, which should then send nothing itself.
 */
export class PacketForge {
  readonly #id: Uint8Array
  readonly #key: Buffer
  readonly #iv: Buffer
  readonly #headerKey: Buffer
  #number = 1000

  /** @param id The connection id that the server has chosen. */
  constructor(keyLogFile: string, id: Uint8Array) {
    const line = /CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)/.exec(readFileSync(keyLogFile, 'utf8'))
    const secret = Buffer.from(line?.[1] ?? '', 'hex')
    this.#id = id
    this.#key = expand(secret, 'quic key', 16)
    this.#iv = expand(secret, 'quic iv', 12)
    this.#headerKey = expand(secret, 'quic hp', 16)
  }

  /** A short-header packet, protected with AES-128-GCM (RFC 9001, section 5). */
  packet(...frames: Uint8Array[]): Buffer {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(this.#number++)
    const header = Buffer.concat([Buffer.from([0x43]), this.#id, number])
    const nonce = Buffer.from(this.#iv)
    for (let i = 0; i < 4; i++) nonce[8 + i] = (nonce[8 + i] as number) ^ (number[i] as number)
    const cipher = createCipheriv('aes-128-gcm', this.#key, nonce).setAAD(header)
    const sealed = Buffer.concat([cipher.update(Buffer.concat(frames)), cipher.final(), cipher.getAuthTag()])
    const numberAt = 1 + this.#id.length
    const mask = createCipheriv('aes-128-ecb', this.#headerKey, null).update(sealed.subarray(0, 16))
    header[0] = (header[0] as number) ^ ((mask[0] as number) & 0x1f)
    for (let i = 0; i < 4; i++) header[numberAt + i] = (header[numberAt + i] as number) ^ (mask[1 + i] as number)
    return Buffer.concat([header, sealed])
  }
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1), for what fits into one block of SHA-256. */
function expand(secret: Buffer, label: string, size: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([Buffer.from([0, size, name.length]), name, Buffer.from([0, 1])])
  return createHmac('sha256', secret).update(info).digest().subarray(0, size)
}
