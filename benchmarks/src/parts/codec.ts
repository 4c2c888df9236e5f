import { createCborCodec } from '@qrpc/wire'
import { Decoder, Encoder } from 'cbor-x'
import type { Part } from './measure.ts'
import { messages } from './messages.ts'

// As @qrpc/wire sets them.
const SETTINGS = { useRecords: false, mapsAsObjects: true, variableMapSize: true, tagUint8Array: false }

/** What the codec's checks cost: cbor-x alone, and behind them. */
export const codecParts: Readonly<Record<string, () => Part>> = Object.fromEntries(
  Object.entries(messages).flatMap(([name, message], i) => [
    [`encode-${i}`, () => encoding(name, message)],
    [`decode-${i}`, () => decoding(name, message)],
  ]),
)

function encoding(name: string, message: unknown): Part {
  const bare = new Encoder(SETTINGS)
  const codec = createCborCodec()
  return {
    title: `Codec: encoding, ${name}`,
    contestants: [
      { name: 'cbor-x alone', run: (count) => repeat(count, () => bare.encode(message)) },
      { name: 'check of the value, cbor-x', run: (count) => repeat(count, () => codec.encode(message)) },
    ],
  }
}

function decoding(name: string, message: unknown): Part {
  const bare = new Decoder(SETTINGS)
  const codec = createCborCodec()
  const encoded = new Uint8Array(codec.encode(message))
  // A message is a view of its own on what arrived, and cbor-x leaves something on it.
  const arrived = (): Uint8Array => encoded.subarray()
  return {
    title: `Codec: decoding, ${name} (${encoded.length} bytes)`,
    contestants: [
      { name: 'cbor-x alone', run: (count) => repeat(count, () => bare.decode(arrived())) },
      { name: 'pre-scan alone', run: (count) => repeat(count, () => codec.sizeOfFirst(arrived())) },
      { name: 'pre-scan, cbor-x', run: (count) => repeat(count, () => codec.decode(arrived())) },
    ],
  }
}

async function repeat(count: number, work: () => unknown): Promise<void> {
  let last: unknown
  for (let i = 0; i < count; i++) last = work()
  if (last === repeat) throw new Error('no work makes this function')
}
