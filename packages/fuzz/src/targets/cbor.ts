import { createCborCodec } from '@qrpc/wire'
import { DECODER_BUDGET, type Target } from '../engine/target.ts'
import { MESSAGES } from '../seeds/documented.ts'
import { expectCode, outcomeOf } from './refusal.ts'
import { encodedAgain } from './same-value.ts'

const codec = createCborCodec()
const narrow = createCborCodec({ maxDepth: 3, maxItems: 30, maxExpansion: 1 })

/** Heads, tags and keys that mean something to the scanner or to cbor-x. */
export const CBOR_TOKENS: readonly Uint8Array[] = (
  '80 9f a0 bf ff 81 a1 1bffffffffffffffff 5affffffff 9affffffff ba7fffffff ' +
  'c0 c1 c2 c3 d81b d81c d81d d833 d840 d845 d856 d90102 d90103 d9dfff ' +
  '695f5f70726f746f5f5f 6b636f6e7374727563746f72 f97e00 fb7ff0000000000000 fbfff8000000000000'
)
  .split(' ')
  .map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))

/** The scan before decoding, and the codec: a value that can be sent on as it is, or `invalid_argument`. */
export const cbor: Target = {
  name: 'cbor',
  budget: DECODER_BUDGET,
  tokens: CBOR_TOKENS,
  seeds: () => MESSAGES,
  open: () => ({
    try(input) {
      const { error, value } = outcomeOf(() => codec.decode(input))
      if (error === undefined) encodedAgain(value)
      else expectCode(error, 'invalid_argument')
      const narrowed = outcomeOf(() => narrow.decode(input))
      if (narrowed.error !== undefined) expectCode(narrowed.error, 'invalid_argument')
      outcomeOf(() => codec.sizeOfFirst(input))
    },
  }),
}
