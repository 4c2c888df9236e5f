import type { RecordableHistogram } from 'node:perf_hooks'
import { type Conversation, LARGE, message, type PeerClient, SMALL } from '../peers/peer.ts'
import { able, expectEqual, type RateWorkload } from './workload.ts'

const MIB = 1024 * 1024
/** A message that nearly reaches the limit of 16 MiB, which counts the header, too. */
const HUGE = 16 * MIB - 1024
/** Messages that a conversation has on the way at a time. */
const AHEAD = 64

const small = message(SMALL)
const large = message(LARGE)
const huge = message(HUGE)
const mebibyte = message(MIB)

function unary(title: string, inFlight: number, body: Uint8Array = small): RateWorkload {
  return {
    title,
    needs: 'echo',
    unit: 'calls/s',
    multiple: inFlight,
    run: ({ client }, count, times) => calls(client, count, inFlight, body, times),
  }
}

async function calls(
  client: PeerClient,
  count: number,
  inFlight: number,
  body: Uint8Array,
  times?: RecordableHistogram,
): Promise<void> {
  const each = count / inFlight
  const one = (): Promise<void> =>
    times === undefined ? plainCalls(client, each, body) : timedCalls(client, each, body, times)
  await Promise.all(Array.from({ length: inFlight }, one))
}

async function plainCalls(client: PeerClient, count: number, body: Uint8Array): Promise<void> {
  for (let n = 0; n < count; n++) expectEqual('bytes of an echo', (await client.echo(body)).length, body.length)
}

async function timedCalls(
  client: PeerClient,
  count: number,
  body: Uint8Array,
  times: RecordableHistogram,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const start = performance.now()
    const { length } = await client.echo(body)
    record(times, start)
    expectEqual('bytes of an echo', length, body.length)
  }
}

/** Small calls, as long as they take beside one of nearly 16 MiB each way after the other. */
async function besideHuge(client: PeerClient, count: number, times?: RecordableHistogram): Promise<void> {
  let over = false
  const hugeCalls = async (): Promise<void> => {
    do expectEqual('bytes of an echo', (await client.echo(huge)).length, HUGE)
    while (!over)
  }
  const smallCalls = async (): Promise<void> => {
    await calls(client, count, AHEAD, small, times)
    over = true
  }
  await Promise.all([hugeCalls(), smallCalls()])
}

function record(times: RecordableHistogram | undefined, start: number): void {
  times?.record(Math.max(1, Math.round((performance.now() - start) * 1e6)))
}

function download(title: string, size: number, unit: 'messages/s' | 'MB/s', most?: number): RateWorkload {
  return {
    title,
    needs: 'download',
    unit,
    unitsEach: unit === 'MB/s' ? size / 1e6 : 1,
    ...(most !== undefined && { most }),
    run: async ({ client }, count) => {
      expectEqual('bytes that came', await able(client, 'download')(count, size), count * size)
    },
  }
}

function upload(title: string, body: Uint8Array, unit: 'messages/s' | 'MB/s', most?: number): RateWorkload {
  return {
    title,
    needs: 'upload',
    unit,
    unitsEach: unit === 'MB/s' ? body.length / 1e6 : 1,
    ...(most !== undefined && { most }),
    run: async ({ client }, count) => {
      expectEqual('bytes that arrived', await able(client, 'upload')(count, body), count * body.length)
    },
  }
}

/** Sends and reads at the same time, the sender never far ahead. */
async function exchange(conversation: Conversation, count: number): Promise<void> {
  let got = 0
  let wake: (() => void) | undefined
  const write = async (): Promise<void> => {
    for (let sent = 0; sent < count; sent++) {
      if (sent - got >= AHEAD) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const wait = conversation.send(small)
      if (wait !== undefined) await wait
    }
    conversation.end()
  }
  const read = async (): Promise<void> => {
    for (;;) {
      const body = await conversation.receive()
      if (body === undefined) break
      expectEqual('bytes of a message', body.length, SMALL)
      got++
      wake?.()
    }
    expectEqual('messages that came back', got, count)
  }
  await Promise.all([write(), read()])
}

/** The workloads that ask how fast, by the name that `--workload` takes. */
export const rateWorkloads: Readonly<Record<string, RateWorkload>> = {
  sequential: unary('Unary calls, one after the other', 1),
  'parallel-32': unary('Unary calls, 32 in flight', 32),
  'parallel-64': unary('Unary calls, 64 in flight', 64),
  'parallel-64-1kib': unary('Unary calls of 1 KiB each way, 64 in flight', 64, message(1024)),
  'parallel-64-16kib': unary('Unary calls of 16 KiB each way, 64 in flight', 64, message(16 * 1024)),
  'beside-16mib': {
    title: 'Unary calls, 64 in flight, beside one of 16 MiB each way',
    needs: 'echo',
    unit: 'calls/s',
    multiple: AHEAD,
    peers: [
      'qrpc-http2',
      'qrpc-http2-streams',
      'qrpc-http2-tls',
      'qrpc-http2-tls-streams',
      'qrpc-quic',
      'qrpc-quic-streams',
    ],
    run: ({ client }, count, times) => besideHuge(client, count, times),
  },
  'unary-1mib': {
    title: 'Unary calls of 1 MiB each way, one after the other',
    needs: 'echo',
    unit: 'MB/s',
    unitsEach: (2 * MIB) / 1e6,
    run: async ({ client }, count) => {
      for (let n = 0; n < count; n++) expectEqual('bytes of an echo', (await client.echo(mebibyte)).length, MIB)
    },
  },
  'server-stream': download(`Server streaming, messages of ${SMALL} bytes`, SMALL, 'messages/s'),
  'client-stream': upload(`Client streaming, messages of ${SMALL} bytes`, small, 'messages/s'),
  'bidi-stream': {
    title: `Bidi streaming, messages of ${SMALL} bytes there and back, ${AHEAD} on the way`,
    needs: 'converse',
    unit: 'messages/s',
    run: ({ client }, count) => exchange(able(client, 'converse')(), count),
  },
  'ping-pong': {
    title: `Bidi streaming, messages of ${SMALL} bytes there and back, one after the other`,
    needs: 'converse',
    unit: 'messages/s',
    run: async ({ client }, count, times) => {
      const conversation = able(client, 'converse')()
      for (let n = 0; n < count; n++) {
        const start = performance.now()
        await conversation.send(small)
        expectEqual('bytes of a message', (await conversation.receive())?.length ?? 0, SMALL)
        record(times, start)
      }
      conversation.end()
      if ((await conversation.receive()) !== undefined) throw new Error('a message after the last')
    },
  },
  download: download('Download, up to 256 MiB in messages of 64 KiB', LARGE, 'MB/s', (256 * MIB) / LARGE),
  upload: upload('Upload, up to 256 MiB in messages of 64 KiB', large, 'MB/s', (256 * MIB) / LARGE),
  connect: {
    title: 'Connections set up, with a first call on each, one after the other',
    needs: 'echo',
    unit: 'connections/s',
    run: async ({ connect }, count, times) => {
      for (let n = 0; n < count; n++) {
        const start = performance.now()
        const client = await connect()
        expectEqual('bytes of an echo', (await client.echo(small)).length, SMALL)
        record(times, start)
        await client.close()
      }
    },
  },
}
