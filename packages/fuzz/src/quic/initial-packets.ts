import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { encodeVarint } from '@qrpc/wire'
import { concat } from '../engine/layout.ts'

/** Of QUIC version 1 (RFC 9001, section 5.2). */
const SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex')
const VERSION = Uint8Array.of(0, 0, 0, 1)
const CIPHER = 'aes-128-gcm'
const HEADER_CIPHER = 'aes-128-ecb'
const NUMBER_SIZE = 4
const TAG_SIZE = 16
const SAMPLE_SIZE = 16
const ID_SIZE = 20
/** The client's own id, which TLS has in it, too. */
const SOURCE = Buffer.alloc(ID_SIZE, 0x5c)
/** What a datagram with one must have (RFC 9000, section 14.1). */
const LEAST_SIZE = 1200
/** The most that a server takes in one datagram, and some. */
const MOST_FRAMES = 60_000

/** The first packets of a client, which anybody can make: sealed as they must be, with any frames. */
export class InitialPackets {
  readonly #destination = randomBytes(ID_SIZE)
  readonly #keys: Keys = keysOf(this.#destination)
  #number = 0

  /** A datagram of one packet with the frames, and PADDING behind them. */
  next(frames: Uint8Array): Uint8Array {
    const payload = Buffer.alloc(Math.max(frames.length, LEAST_SIZE))
    payload.set(frames.subarray(0, MOST_FRAMES))
    const number = Buffer.alloc(NUMBER_SIZE)
    number.writeUInt32BE(this.#number++)
    const header = concat([
      Uint8Array.of(0xc0 + NUMBER_SIZE - 1),
      VERSION,
      Uint8Array.of(ID_SIZE),
      this.#destination,
      Uint8Array.of(ID_SIZE),
      SOURCE,
      // No token.
      encodeVarint(0),
      encodeVarint(NUMBER_SIZE + payload.length + TAG_SIZE),
      number,
    ])
    const cipher = createCipheriv(CIPHER, this.#keys.key, nonce(this.#keys.iv, number)).setAAD(header)
    const sealed = concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()])
    mask(header, header.length - NUMBER_SIZE, NUMBER_SIZE, this.#keys, sealed)
    return concat([header, sealed])
  }
}

/** The frames in the first packet of a datagram of a client, which are then of one of {@link InitialPackets}. */
export function framesInInitial(datagram: Uint8Array): Uint8Array {
  const bytes = Buffer.from(datagram)
  const destinationSize = bytes.readUInt8(5)
  const destination = bytes.subarray(6, 6 + destinationSize)
  let at = 6 + destinationSize
  const source = bytes.subarray(at + 1, at + 1 + bytes.readUInt8(at))
  at += 1 + source.length
  // A token of up to 63 bytes, and a length of two, as this quiche writes them.
  at += 1 + bytes.readUInt8(at)
  const length = bytes.readUInt16BE(at) & 0x3fff
  at += 2
  const keys = keysOf(destination)
  const header = bytes.subarray(0, at + NUMBER_SIZE)
  const before = Buffer.from(header)
  mask(header, at, NUMBER_SIZE, keys, bytes.subarray(at + NUMBER_SIZE))
  const size = ((header[0] as number) & 3) + 1
  // Only bytes of the number are masked.
  header.set(before.subarray(at + size), at + size)
  const number = Buffer.alloc(NUMBER_SIZE)
  number.set(header.subarray(at, at + size), NUMBER_SIZE - size)
  const sealed = bytes.subarray(at + size, at + length)
  const decipher = createDecipheriv(CIPHER, keys.key, nonce(keys.iv, number)).setAAD(bytes.subarray(0, at + size))
  decipher.setAuthTag(sealed.subarray(-TAG_SIZE))
  const frames = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_SIZE)), decipher.final()])
  const idAt = frames.indexOf(source)
  if (idAt < 0 || source.length !== ID_SIZE) throw new Error('the first packet of a client has changed its form')
  frames.set(SOURCE, idAt)
  return new Uint8Array(frames)
}

interface Keys {
  readonly key: Buffer
  readonly iv: Buffer
  readonly header: Buffer
}

function keysOf(destination: Uint8Array): Keys {
  const initial = createHmac('sha256', SALT).update(destination).digest()
  const secret = expand(initial, 'client in', 32)
  return {
    key: expand(secret, 'quic key', 16),
    iv: expand(secret, 'quic iv', 12),
    header: expand(secret, 'quic hp', 16),
  }
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1), for what fits into one block of SHA-256. */
function expand(secret: Buffer, label: string, size: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`)
  const info = concat([Uint8Array.of(0, size, name.length), name, Uint8Array.of(0, 1)])
  return createHmac('sha256', secret).update(info).digest().subarray(0, size)
}

function nonce(iv: Buffer, number: Buffer): Buffer {
  const changed = Buffer.from(iv)
  const at = iv.length - NUMBER_SIZE
  changed.writeUInt32BE((changed.readUInt32BE(at) ^ number.readUInt32BE(0)) >>> 0, at)
  return changed
}

/** Puts header protection on, or takes it off (RFC 9001, section 5.4). */
function mask(header: Uint8Array, at: number, size: number, keys: Keys, sealed: Uint8Array): void {
  // The sample begins where a number of four bytes would end.
  const sample = sealed.subarray(0, SAMPLE_SIZE)
  const bits = createCipheriv(HEADER_CIPHER, keys.header, null).update(sample)
  header[0] = (header[0] as number) ^ ((bits[0] as number) & 0x0f)
  for (let i = 0; i < size; i++) header[at + i] = (header[at + i] as number) ^ (bits[1 + i] as number)
}
