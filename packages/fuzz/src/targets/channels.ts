import { behind, concat } from '../engine/layout.ts'
import { Random } from '../engine/random.ts'
import { CONNECTION_BUDGET, type Target } from '../engine/target.ts'
import { WIRE_FRAMES } from '../layouts/wire-frames.ts'
import { feedClient, feedServer } from '../memory/both-sides.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'
import { call, END, message, request, response, signal, signalOnLane } from '../seeds/frames.ts'
import { CBOR_TOKENS } from './cbor.ts'

const CHOICES_SIZE = 2
const LANE = Uint8Array.of(0x05, 0x81, 4)

const SIGNALS = (['status', 'cancel', 'reset', 'stop'] as const).map(signal)
const METHODS = ['t/echo', 't/wait', 't/sum', 't/count', 't/talk', 't/tell', 't/none']
const LARGE = new Uint8Array(18_000)

const TOKENS = [
  ...CBOR_TOKENS,
  ...FRAMES,
  ...LANE_FRAMES,
  ...SIGNALS,
  ...[0, 1, 2].flatMap((number) => [signalOnLane(number, 'cancel'), signalOnLane(number, 'status')]),
]

const SHARED = {
  budget: CONNECTION_BUDGET,
  layout: behind(CHOICES_SIZE, WIRE_FRAMES),
  tokens: TOKENS,
  atATime: 32,
}

/** Any bytes as what a client sends on a stream of its own. */
export const channelServer: Target = {
  ...SHARED,
  name: 'channel-server',
  seeds: () =>
    withChoices([
      ...METHODS.map((method) => concat([request(method, 3), END])),
      ...METHODS.map((method) => concat([request(method, 3), message(1), message(LARGE), message('a'), END])),
      ...SIGNALS.map((one) => concat([request('t/talk', 1), message(2), one])),
      concat(FRAMES),
    ]),
  open: () => ({
    try(input) {
      const random = choices(input)
      return feedServer(input.subarray(CHOICES_SIZE), random, random.oneIn(4) ? 't/echo' : undefined)
    },
  }),
}

/** Any bytes as what a server answers on a stream of its own. */
export const channelClient: Target = {
  ...SHARED,
  name: 'channel-client',
  seeds: () =>
    withChoices([
      concat([message(1), END]),
      concat([message(1), message('a'), message(LARGE), END]),
      ...SIGNALS.map((one) => concat([message(1), one])),
      ...FRAMES,
    ]),
  open: () => ({ try: (input) => feedClient(input.subarray(CHOICES_SIZE), choices(input), false) }),
}

/** Any bytes as what a client sends on a lane. */
export const laneServer: Target = {
  ...SHARED,
  name: 'lane-server',
  seeds: () =>
    withChoices([
      concat([...METHODS.slice(0, 4).map((method, n) => call(n, method, n)), signalOnLane(1, 'cancel'), END]),
      concat([call(0, 't/echo', 1), ...startAndPieces(1, LARGE), call(2, 't/tell', null), END]),
      ...LANE_FRAMES,
    ]),
  open: () => ({
    try: (input) => feedServer(concat([LANE, input.subarray(CHOICES_SIZE)]), choices(input), undefined),
  }),
}

/** Any bytes as what a server answers on a lane. */
export const laneClient: Target = {
  ...SHARED,
  name: 'lane-client',
  seeds: () =>
    withChoices([
      concat([0, 1, 2, 3].map((number) => response(number, number))),
      concat([...startAndPieces(0, LARGE), signalOnLane(1, 'status'), signalOnLane(2, 'cancel'), END]),
      ...LANE_FRAMES,
    ]),
  open: () => ({ try: (input) => feedClient(input.subarray(CHOICES_SIZE), choices(input), true) }),
}

function choices(input: Uint8Array): Random {
  return new Random((input[0] ?? 0) + (input[1] ?? 0) * 256)
}

/** Each with choices of its own. */
function withChoices(inputs: readonly Uint8Array[]): Uint8Array[] {
  return inputs.map((input, n) => concat([Uint8Array.of(n, n >> 8), input]))
}

/** A message on a lane as a start and pieces: frames with the tags 1 and 2 of the call. */
function startAndPieces(number: number, bytes: Uint8Array): Uint8Array[] {
  const half = bytes.length >> 1
  const size = Uint8Array.of(0x80, 0, bytes.length >> 8, bytes.length)
  const tag = number * 4
  return [
    WIRE_FRAMES.join([concat([Uint8Array.of(0, tag + 1), size, bytes.subarray(0, half)])]),
    WIRE_FRAMES.join([concat([Uint8Array.of(0, tag + 2), bytes.subarray(half)])]),
  ]
}
