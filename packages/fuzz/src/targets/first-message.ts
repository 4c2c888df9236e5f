import { isRequest, type Request } from '@qrpc/core'
import { DECODER_BUDGET, type Target } from '../engine/target.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'
import { bytesOf, format, framesOf } from '../seeds/frames.ts'
import { CBOR_TOKENS } from './cbor.ts'
import { expectCode, expectThat, type Outcome, outcomeOf } from './refusal.ts'
import { expectSameValue } from './same-value.ts'

const HINTS = ['compute/sqr', 'm']

/** The header of a request and its message: the same with and without a hint of the method, and again when sent on. */
export const firstMessage: Target = {
  name: 'first-message',
  budget: DECODER_BUDGET,
  tokens: CBOR_TOKENS,
  seeds: () => [
    ...messagesOf(FRAMES),
    // Behind the number of the call.
    ...messagesOf(LANE_FRAMES).map((payload) => payload.subarray(1)),
  ],
  open: () => ({
    try(input) {
      const plain = outcomeOf(() => format.decodeFirst(input))
      for (const decode of [
        ...HINTS.map((hint) => () => format.decodeFirst(input, hint)),
        () => format.decodeFirstOnLane(input),
        // Its method may be known by now.
        () => format.decodeFirstOnLane(input),
      ]) {
        expectSameOutcome(plain, outcomeOf(decode))
      }
      if (plain.error === undefined && isRequest(plain.value)) expectTravels(plain.value)
    },
  }),
}

function expectSameOutcome(one: Outcome<unknown>, other: Outcome<unknown>): void {
  expectThat(one.error?.code === other.error?.code, 'whether a request is refused depends on what is known of it')
  if (one.error !== undefined) expectCode(one.error, 'invalid_argument', 'resource_exhausted')
  else if (other.error === undefined) expectSameValue(partsOf(one.value), partsOf(other.value))
}

function expectTravels(request: Request): void {
  const sent = outcomeOf(() => framesOf(bytesOf((batch) => format.addFirst(batch, request))))
  // What a receiver takes and a sender does not shows in the value, of which others take care.
  if (sent.error !== undefined) return
  const [frame] = sent.value
  expectThat(frame !== undefined && !frame.control && sent.value.length === 1, 'a request is not one message frame')
  expectSameValue(partsOf(format.decodeFirst(frame.payload)), partsOf(request))
}

/** A request as a value that travels. */
function partsOf(first: unknown): unknown {
  if (!isRequest(first)) return [first]
  const { method, timeout, metadata, message } = first
  return [method, timeout, metadata as unknown, message]
}

function messagesOf(frames: readonly Uint8Array[]): Uint8Array[] {
  return frames
    .flatMap(framesOf)
    .filter(({ control }) => !control)
    .map(({ payload }) => payload)
}
