import { RpcError } from '@qrpc/core'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { User } from './contract.ts'

const ISSUER = 'https://login.example'
const AUDIENCE = 'notes'
const ALGORITHM = 'HS256'

/** Makes tokens, as a login server does, and verifies them, as each of the others does. */
export class Tokens {
  readonly #key: Uint8Array

  /** @param key A secret of 32 bytes or more. Where servers are not to make tokens of their own, take a key pair instead. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** @param lifetime In seconds. */
  issue(user: User, lifetime: number): Promise<string> {
    return new SignJWT({ scopes: user.scopes })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(user.name)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(Math.floor(Date.now() / 1000) + lifetime)
      .sign(this.#key)
  }

  /** @throws RpcError `unauthenticated` for a token that is not valid, or not any more. It says no more than that. */
  async verify(token: string): Promise<User> {
    try {
      // What is not named here would be the sender's choice.
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'exp'],
      })
      const { sub = '', scopes } = payload
      return { name: sub, scopes: Array.isArray(scopes) ? scopes.map(String) : [] }
    } catch (cause) {
      const message = cause instanceof errors.JWTExpired ? 'the token has expired' : 'the token is not valid'
      throw new RpcError('unauthenticated', message, { cause })
    }
  }
}
