import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const LIFETIME_MS = 10_000
const MAC_SIZE = 32
const TIME_SIZE = 8

/**
 * Tokens that prove that a client receives what is sent to its address (RFC 9000, section 8.1.2). Each holds for one
 * address, one pair of connection ids, and ten seconds; the key is this process's own.
 */
export class RetryTokens {
  readonly #key = randomBytes(32)

  mint(address: string, originalId: Uint8Array, newId: Uint8Array): Uint8Array {
    const time = Buffer.alloc(TIME_SIZE)
    time.writeDoubleBE(Date.now())
    return Buffer.concat([this.#mac(address, time, originalId, newId), time, originalId])
  }

  /** The original connection id that the token was made for; `undefined` for a token that does not hold. */
  check(token: Uint8Array, address: string, newId: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.from(token.buffer, token.byteOffset, token.length)
    if (bytes.length <= MAC_SIZE + TIME_SIZE) return undefined
    const time = bytes.subarray(MAC_SIZE, MAC_SIZE + TIME_SIZE)
    const originalId = bytes.subarray(MAC_SIZE + TIME_SIZE)
    if (!timingSafeEqual(this.#mac(address, time, originalId, newId), bytes.subarray(0, MAC_SIZE))) return undefined
    const age = Date.now() - time.readDoubleBE()
    return age >= 0 && age <= LIFETIME_MS ? new Uint8Array(originalId) : undefined
  }

  #mac(address: string, time: Uint8Array, originalId: Uint8Array, newId: Uint8Array): Buffer {
    const hmac = createHmac('sha256', this.#key)
    // Lengths keep one part from being taken for the end of another.
    for (const part of [Buffer.from(address), time, originalId, newId]) hmac.update(`${part.length}:`).update(part)
    return hmac.digest()
  }
}
