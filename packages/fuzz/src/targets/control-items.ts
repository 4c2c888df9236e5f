import { DECODER_BUDGET, type Target } from '../engine/target.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'
import { bytesOf, format, framesOf, signal } from '../seeds/frames.ts'
import { CBOR_TOKENS } from './cbor.ts'
import { expectCode, expectThat, outcomeOf } from './refusal.ts'
import { expectSameValue } from './same-value.ts'

const LONGEST_TEXT = 8192

/** Control items: end, status, cancel, reset, stop and lane. What is one is the same again when sent on. */
export const controlItems: Target = {
  name: 'control-items',
  budget: DECODER_BUDGET,
  tokens: [...CBOR_TOKENS, ...['not_found', 'unknown', 'RpcError'].map((text) => new Uint8Array(Buffer.from(text)))],
  seeds: () => [
    ...payloadsOf([...FRAMES, ...(['status', 'cancel', 'reset', 'stop'] as const).map(signal)]),
    // Behind the number of the call.
    ...payloadsOf(LANE_FRAMES).map((payload) => payload.subarray(1)),
    Uint8Array.of(0x81, 4),
  ],
  open: () => ({ try: tryItem }),
}

function tryItem(input: Uint8Array): void {
  const read = outcomeOf(() => format.decodeControl(input))
  if (read.error !== undefined) {
    expectCode(read.error, 'invalid_argument')
    return
  }
  const item = read.value
  if (!('error' in item)) return
  const { code, name, message, data } = item.error
  const [frame] = framesOf(bytesOf((batch) => format.addSignal(batch, item.kind, item.error)))
  expectThat(frame?.control === true, 'a control item is no control frame')
  const again = format.decodeControl(frame.payload)
  expectThat(again.kind === item.kind && 'error' in again, 'a control item does not come back')
  // What is cut off, and data that a receiver takes and a sender does not, are told apart by what they say.
  if (again.error.message.endsWith('cannot be sent') || Math.max(message.length, name.length) > LONGEST_TEXT) return
  expectSameValue(
    [code, name, message, data],
    [again.error.code, again.error.name, again.error.message, again.error.data],
  )
}

function payloadsOf(frames: readonly Uint8Array[]): Uint8Array[] {
  return frames
    .flatMap(framesOf)
    .filter(({ control }) => control)
    .map(({ payload }) => payload)
}
