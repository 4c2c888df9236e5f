import { setImmediate as nextTurn } from 'node:timers/promises'
import { createClient } from '@qrpc/core'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { type Certificate, makeCertificate } from '../certificate.ts'
import { Tried } from '../contract.ts'
import { behind, concat } from '../engine/layout.ts'
import { Random } from '../engine/random.ts'
import { CONNECTION_BUDGET, type Target } from '../engine/target.ts'
import { callAll, GoodClient, GoodServer, recovers } from '../good-server.ts'
import { DATAGRAMS } from '../layouts/datagrams.ts'
import { WIRE_FRAMES } from '../layouts/wire-frames.ts'
import { Attacker } from '../quic/attacker.ts'
import { HostileServer } from '../quic/hostile-server.ts'
import { recordDatagrams } from '../quic/sessions.ts'
import { tamper } from '../quic/tamper.ts'
import { bindUdp, closeUdp, UdpRelay } from '../quic/udp.ts'
import { FRAMES, LANE_FRAMES } from '../seeds/documented.ts'
import { channelClient, channelServer, laneClient, laneServer } from './channels.ts'

const CHOICES_SIZE = 2
const CALL_MS = 80
const LANE = Uint8Array.of(0x05, 0x81, 4)
const PROTOCOLS = ['qrpc/1+lanes', 'qrpc/1']
const LISTENING = { firstFrameTimeoutMs: 200, handshakeTimeoutMs: 500, closeTimeoutMs: 50 }
const CONNECTING = {
  connectTimeoutMs: 2000,
  idleTimeoutMs: 1500,
  closeTimeoutMs: 50,
  initialBackoffMs: 1,
  maxBackoffMs: 5,
}

let made: Promise<Certificate> | undefined

function certified(): Promise<Certificate> {
  made ??= makeCertificate()
  return made
}

/** A server, and a client beside whatever happens to it. */
export async function startGoodQuic() {
  const tls = await certified()
  const server = new GoodServer(await listenQuic({ ...LISTENING, tls }))
  const client = new GoodClient(connectQuic(server.address, { tls: { ca: tls.cert } }))
  await client.goesOn()
  return { server, client, port: Number(new URL(server.address).port) }
}

/** A server's port, and any datagrams to it, while another client makes its calls. */
export const quicDatagrams: Target = {
  name: 'quic-datagrams',
  budget: CONNECTION_BUDGET,
  layout: DATAGRAMS,
  // Versions, and how long and short headers begin.
  tokens: ['00000001', '6b3343cf', '00000000', '1a2a3a4a', 'c3', 'd3', 'e3', 'f3', '43'].map(
    (hex) => new Uint8Array(Buffer.from(hex, 'hex')),
  ),
  seeds: async () => recordDatagrams(await certified()),
  async open() {
    const { server, client, port } = await startGoodQuic()
    return {
      async try(input) {
        const socket = await bindUdp()
        for (const datagram of DATAGRAMS.split(input)) {
          socket.send(datagram, port, '127.0.0.1')
          await nextTurn()
        }
        await client.goesOn()
        await closeUdp(socket)
        server.check()
      },
      async close() {
        await client.close()
        await server.close()
      },
    }
  },
}

const STREAMS = {
  budget: CONNECTION_BUDGET,
  layout: behind(CHOICES_SIZE, WIRE_FRAMES),
  tokens: [...FRAMES, ...LANE_FRAMES],
}

/** A client that goes by QUIC and sends any bytes on its streams and lanes, while another one makes its calls. */
export const quicStreams: Target = {
  ...STREAMS,
  name: 'quic-streams',
  seeds: async () => [
    ...(await channelServer.seeds()),
    ...(await laneServer.seeds()).map((input) =>
      concat([input.subarray(0, CHOICES_SIZE), LANE, input.subarray(CHOICES_SIZE)]),
    ),
  ],
  async open() {
    const { server, client, port } = await startGoodQuic()
    const attacker = await Attacker.start(port, PROTOCOLS)
    return {
      async try(input) {
        const random = choices(input)
        const { connection, id } = await attacker.open()
        const bytes = input.subarray(CHOICES_SIZE)
        const fin = random.oneIn(2)
        const half = random.between(0, bytes.length)
        connection.write(id, bytes.subarray(0, half), false)
        if (random.oneIn(2)) await client.goesOn()
        connection.write(id, bytes.subarray(half), fin)
        await client.goesOn()
        if (!fin || random.oneIn(4)) {
          connection.abort(id, random.between(0, 20), random.pick(['both', 'both', 'reset', 'stop']))
        }
        server.check()
      },
      async close() {
        await attacker.close()
        await client.close()
        await server.close()
      },
    }
  },
}

/** A connector, and a server that goes by QUIC and says anything; then a good server is at its place. */
export const quicConnector: Target = {
  ...STREAMS,
  name: 'quic-connector',
  atATime: 8,
  seeds: async () => [...(await channelClient.seeds()), ...(await laneClient.seeds())],
  async open() {
    const tls = await certified()
    return {
      async try(input) {
        const random = choices(input)
        const hostile = await HostileServer.start(tls, {
          protocol: random.pick(PROTOCOLS),
          bytes: input.subarray(CHOICES_SIZE),
          fin: random.oneIn(2),
        })
        await using connector = connectQuic(`quic://127.0.0.1:${hostile.port}`, {
          ...CONNECTING,
          tls: { ca: tls.cert },
        })
        const client = createClient(Tried, connector)
        await callAll(client, CALL_MS)
        await hostile.close()
        const server = new GoodServer(await listenQuic({ tls, port: hostile.port }))
        try {
          await recovers(client)
        } finally {
          await server.close()
        }
      },
    }
  },
}

/** A connection between a connector and a listener of which the datagrams are changed, lost, doubled and made up. */
export const quicTampered: Target = {
  name: 'quic-tampered',
  budget: CONNECTION_BUDGET,
  maxSize: 300,
  guided: false,
  atATime: 8,
  patienceMs: 40_000,
  seeds: () => [
    new Uint8Array(30),
    ...[3, 4, 5, 6, 7].map((operation) => new Uint8Array(24).map((_, n) => (n % 9 === 3 ? operation : n % 3))),
  ],
  async open() {
    const tls = await certified()
    const server = new GoodServer(await listenQuic({ ...LISTENING, tls }))
    return {
      async try(input) {
        let tampering = true
        const tampered = tamper(input)
        await using relay = await UdpRelay.start(server.address, (datagram, from) =>
          tampering ? tampered(datagram, from) : [datagram],
        )
        await using connector = connectQuic(relay.address, {
          ...CONNECTING,
          maxDatagramSize: 1350,
          tls: { ca: tls.cert },
        })
        const client = createClient(Tried, connector)
        await callAll(client, CALL_MS * 4)
        tampering = false
        await recovers(client)
        server.check()
      },
      close: () => server.close(),
    }
  },
}

function choices(input: Uint8Array): Random {
  return new Random((input[0] ?? 0) + (input[1] ?? 0) * 256)
}
