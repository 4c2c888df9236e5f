import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Connector, createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { connectQuic } from '@qrpc/transport-quic'
import type { Certificate } from '../certificate.ts'
import { Chaos } from '../contract.ts'
import { END_HEADERS, FRAME, frame, PREFACE, requestHeaders, streamOf } from './http2-frames.ts'

/** Whom an attack is for. */
export interface Target {
  readonly address: string
  readonly certificate: Certificate
}

/** Something that a hostile client does for as long as it is let, and again when it was cut off. */
export interface Attack {
  readonly name: string
  readonly transport: 'http2' | 'quic'
  /** One round: until it is cut off, or has done what it can. */
  readonly round: (target: Target) => Promise<void>
}

const PER_WRITE = 200
const HELD = 500
const ROUND_MS = 1000
const ASKED = { id: 0, updates: 0, responses: 0, bytes: new Uint8Array(0) }

/** Writes to a TCP connection until the server closes it, or the round is over. */
async function flood(
  { address }: Target,
  opening: Uint8Array,
  more: (n: number) => Uint8Array | undefined,
): Promise<void> {
  const { hostname: host, port } = new URL(address)
  const socket = connectTcp({ host, port: Number(port) })
  let open = true
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  socket.resume()
  void closed.then(() => {
    open = false
  })
  const told = (event: string): Promise<void> =>
    Promise.race([closed, new Promise<void>((resolve) => socket.once(event, () => resolve()))])
  await told('connect')
  socket.write(opening)
  const start = performance.now()
  for (let n = 0; open && performance.now() - start < ROUND_MS; n++) {
    const bytes = more(n)
    if (bytes !== undefined && !socket.write(bytes)) await told('drain')
    else await nextTurn()
  }
  socket.destroy()
  await closed
}

function repeated(make: (n: number) => Uint8Array): (n: number) => Uint8Array {
  return (round) => Buffer.concat(Array.from({ length: PER_WRITE }, (_, n) => make(round * PER_WRITE + n)))
}

const ECHO = requestHeaders('/chaos/echo')
const CANCEL = Buffer.from([0, 0, 0, 8])

function connect(transport: Attack['transport'], { address, certificate }: Target): Connector {
  return transport === 'quic' ? connectQuic(address, { tls: { ca: certificate.cert } }) : connectHttp2(address)
}

/** Calls that are cancelled as soon as they are made. */
async function cancelledCalls(transport: Attack['transport'], target: Target): Promise<void> {
  await using connector = connect(transport, target)
  const client = createClient(Chaos, connector)
  for (const start = performance.now(); performance.now() - start < ROUND_MS; await nextTurn()) {
    const abort = new AbortController()
    const calls = Array.from({ length: PER_WRITE }, () =>
      client.echo({ ...ASKED, hang: true }, { signal: abort.signal }).catch(() => {}),
    )
    await nextTurn()
    abort.abort()
    await Promise.all(calls)
  }
}

/** Streams of responses without end that nobody reads. */
async function unreadStreams(transport: Attack['transport'], target: Target): Promise<void> {
  await using connector = connect(transport, target)
  const client = createClient(Chaos, connector)
  const calls = Array.from({ length: HELD }, () =>
    client.produce({ ...ASKED, responses: 1_000_000, bytes: new Uint8Array(16_000) }),
  )
  await Promise.allSettled(calls.map((call) => call.started))
  for (const start = performance.now(); performance.now() - start < ROUND_MS; ) await nextTurn()
  for (const call of calls) call.cancel()
}

/** Connections that are made, used once and closed. */
async function connections(transport: Attack['transport'], target: Target): Promise<void> {
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await using connector = connect(transport, target)
      await createClient(Chaos, connector)
        .echo(ASKED)
        .catch(() => {})
    }),
  )
}

/** Messages that grow when they are decoded: 200,000 empty objects, and arrays inside each other. */
async function bombs(transport: Attack['transport'], { address, certificate }: Target): Promise<void> {
  const many = Buffer.concat([Buffer.from('9a00030d40', 'hex'), Buffer.alloc(200_000, 0xa0)])
  const deep = Buffer.alloc(100_000, 0x81)
  let sent = 0
  const codec = { encode: () => (sent++ % 2 === 0 ? many : deep), decode: () => undefined }
  const options = { codec, maxMessageSize: 2 ** 24 }
  await using connector =
    transport === 'quic'
      ? connectQuic(address, { ...options, tls: { ca: certificate.cert } })
      : connectHttp2(address, options)
  const client = createClient(Chaos, connector)
  for (const start = performance.now(); performance.now() - start < ROUND_MS; ) {
    await Promise.all(Array.from({ length: 10 }, () => client.echo(ASKED).catch(() => {})))
  }
}

/** Datagrams that are none of QUIC's, or look like a handshake and are none. */
async function garbage({ address }: Target): Promise<void> {
  const { hostname, port } = new URL(address.replace('quic:', 'http:'))
  const socket = createSocket('udp4')
  const datagram = Buffer.alloc(1200, 0x5a)
  for (const start = performance.now(); performance.now() - start < ROUND_MS; await nextTurn()) {
    for (let n = 0; n < PER_WRITE; n++) {
      // Every other one has the head of an Initial packet (RFC 9000, section 17.2.2).
      datagram.set(n % 2 === 0 ? [0xc3, 0, 0, 0, 1, 8] : [0x43, n & 0xff, 7, 7, 7, 7])
      datagram.writeUInt32BE((Math.random() * 2 ** 32) >>> 0, 6)
      socket.send(Buffer.from(datagram), Number(port), hostname)
    }
  }
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

export const ATTACKS: readonly Attack[] = [
  {
    name: 'streams that are opened and reset',
    transport: 'http2',
    round: (target) =>
      flood(
        target,
        PREFACE,
        repeated((n) =>
          Buffer.concat([
            frame(FRAME.headers, END_HEADERS, streamOf(n), ECHO),
            frame(FRAME.rstStream, 0, streamOf(n), CANCEL),
          ]),
        ),
      ),
  },
  {
    name: 'PING',
    transport: 'http2',
    round: (target) =>
      flood(
        target,
        PREFACE,
        repeated(() => frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
      ),
  },
  {
    name: 'SETTINGS',
    transport: 'http2',
    round: (target) =>
      flood(
        target,
        PREFACE,
        repeated(() => frame(FRAME.settings, 0, 0)),
      ),
  },
  {
    name: 'CONTINUATION',
    transport: 'http2',
    round: (target) =>
      flood(
        target,
        Buffer.concat([PREFACE, frame(FRAME.headers, 0, 1, ECHO)]),
        repeated(() => frame(FRAME.continuation, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62]))),
      ),
  },
  {
    name: 'requests that never come to their ends',
    transport: 'http2',
    round: (target) =>
      flood(target, PREFACE, (n) => (n < HELD ? frame(FRAME.headers, END_HEADERS, streamOf(n), ECHO) : undefined)),
  },
  ...(['http2', 'quic'] as const).flatMap((transport): Attack[] => [
    { name: 'calls that are cancelled', transport, round: (target) => cancelledCalls(transport, target) },
    { name: 'responses that nobody reads', transport, round: (target) => unreadStreams(transport, target) },
    { name: 'connections', transport, round: (target) => connections(transport, target) },
    { name: 'CBOR bombs', transport, round: (target) => bombs(transport, target) },
  ]),
  { name: 'garbage', transport: 'quic', round: garbage },
]
