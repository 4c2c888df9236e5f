import type { RpcError } from '@qrpc/core'
import { FrameBatch, FrameReader } from '@qrpc/wire'
import { behind, concat } from '../engine/layout.ts'
import { Random } from '../engine/random.ts'
import { DECODER_BUDGET, type Target } from '../engine/target.ts'
import { WIRE_FRAMES } from '../layouts/wire-frames.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'
import { expectCode, expectThat, outcomeOf } from './refusal.ts'

const CHOICES_SIZE = 2
const LIMITS = [128, 1024, 70_000, 16 * 1024 * 1024]
const EAGER_SIZE = 65 * 1024

/** The frame reader: whatever the chunks are, the same frames come, and these give the same bytes in shortest form. */
export const wireFrames: Target = {
  name: 'wire-frames',
  budget: DECODER_BUDGET,
  layout: behind(CHOICES_SIZE, WIRE_FRAMES),
  tokens: ['00', '01', '3f', '4040', '7fff', '80004000', 'bfffffff', 'c000000040000000', 'ffffffffffffffff'].map(
    (hex) => new Uint8Array(Buffer.from(hex, 'hex')),
  ),
  seeds: () => [...FRAMES, ...LANE_FRAMES, concat(FRAMES)].map((frame, n) => concat([Uint8Array.of(n, n >> 8), frame])),
  open: () => ({ try: tryFrames }),
}

function tryFrames(input: Uint8Array): void {
  const random = new Random((input[0] ?? 0) + (input[1] ?? 0) * 256)
  const bytes = input.subarray(CHOICES_SIZE)
  const limits = { maxMessageSize: random.pick(LIMITS) }
  const whole = read(new FrameReader(limits), [bytes], random)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += chunks.at(-1)?.length ?? 0) {
    chunks.push(bytes.slice(at, at + 1 + random.scale(Math.min(5000, bytes.length))))
  }
  const chunked = read(new FrameReader(limits), chunks, random)
  expectThat(Buffer.compare(whole.frames, chunked.frames) === 0, 'the frames depend on the chunks')
  expectThat(whole.error?.code === chunked.error?.code, 'the error depends on the chunks')
  expectThat(whole.partial === chunked.partial, 'whether the end is cut off depends on the chunks')
  const again = read(new FrameReader(limits), [whole.frames], random)
  expectThat(Buffer.compare(again.frames, whole.frames) === 0, 'the frames do not come back')
}

/** The frames that come, written again. */
function read(reader: FrameReader, chunks: readonly Uint8Array[], random: Random) {
  const batch = new FrameBatch()
  let received = 0
  let error: RpcError | undefined
  for (const chunk of chunks) {
    received += chunk.length
    const outcome = outcomeOf(() => readChunk(reader, batch, chunk, random))
    error = outcome.error
    if (error !== undefined) break
    expectThat(reader.held <= Math.max(EAGER_SIZE, 2 * received), 'the reader holds more than it may')
  }
  if (error !== undefined) expectCode(error, 'resource_exhausted')
  return { frames: concat(batch.take()), error, partial: error === undefined && reader.partial }
}

function readChunk(reader: FrameReader, batch: FrameBatch, chunk: Uint8Array, random: Random): void {
  let rest = chunk
  const { space } = reader
  if (space !== undefined && random.oneIn(2)) {
    const written = rest.subarray(0, space.length)
    space.set(written)
    reader.filled(written.length)
    rest = rest.subarray(written.length)
    if (written.length > 0) drain(reader, batch)
  }
  reader.push(rest)
  drain(reader, batch)
}

function drain(reader: FrameReader, batch: FrameBatch): void {
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    batch.add(frame.payload, frame.control, false)
  }
}
