import { isDeepStrictEqual } from 'node:util'
import { type Codec, createCborCodec } from '@qrpc/wire'
import { expectCode, expectThat, outcomeOf } from './refusal.ts'

/** What is compared item by item; sets and maps of objects take quadratic time for that. */
const SMALL = 512

const codec: Codec = createCborCodec()

/** What a receiver rounds, or takes in a longer form than any sender writes, need not be fit to be sent. */
const FOR_RECEIVERS_ONLY = /is a Date that|maxExpansion/

/**
 * The bytes that a decoded value is encoded to, which decode to the same value again; `undefined` where it is one of the
 * few that a receiver takes and a sender does not.
 *
 * @throws Error where that does not hold.
 */
export function encodedAgain(value: unknown): Uint8Array | undefined {
  const { error, value: encoded } = outcomeOf(() => codec.encode(value).slice())
  if (error !== undefined) {
    expectCode(error, 'invalid_argument')
    expectThat(FOR_RECEIVERS_ONLY.test(error.message), `what was decoded is refused: ${error.message}`)
    return undefined
  }
  const again = codec.decode(encoded)
  const encodedAgain = codec.encode(again)
  expectThat(Buffer.compare(encoded, encodedAgain) === 0, 'a value is encoded in two ways')
  if (encodedAgain.length <= SMALL) expectThat(isDeepStrictEqual(again, value), 'a value does not come back as it was')
  return encoded
}

/** @throws Error where two decoded values differ. */
export function expectSameValue(one: unknown, other: unknown): void {
  const a = encodedAgain(one)
  const b = encodedAgain(other)
  expectThat(a === undefined ? b === undefined : b !== undefined && Buffer.compare(a, b) === 0, 'two values differ')
}
