import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createClient } from '@qrpc/core'
import { connectQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho, Echo } from './service.ts'
import { VirtualNetwork } from './virtual-network.ts'

const MIB = 1024 * 1024
const FLOOD = 100_000

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

/** Random integers below `2^31` that are the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state >> 3
  }
}

async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

async function closed(socket: Socket): Promise<void> {
  const gone = once(socket, 'close')
  socket.close()
  await gone
}

/** Someone on the way between a client and a server: sees each datagram, and can send what looks like it. */
class Wiretap {
  readonly port: number
  /** What the client has sent last, the latest last. */
  readonly fromClient: Buffer[] = []
  readonly fromServer: Buffer[] = []
  readonly #front: Socket
  readonly #back: Socket
  readonly #server: number
  #client = 0

  private constructor(front: Socket, back: Socket, server: number) {
    this.#front = front
    this.#back = back
    this.#server = server
    this.port = front.address().port
    front.on('message', (datagram, { port }) => {
      this.#client = port
      remember(this.fromClient, datagram)
      back.send(datagram, server, '127.0.0.1')
    })
    back.on('message', (datagram) => {
      remember(this.fromServer, datagram)
      front.send(datagram, this.#client, '127.0.0.1')
    })
  }

  static async start(server: number): Promise<Wiretap> {
    return new Wiretap(await udpSocket(), await udpSocket(), server)
  }

  /** Sends to the server as if it came from the client. */
  toServer(datagram: Buffer): void {
    this.#back.send(datagram, this.#server, '127.0.0.1')
  }

  /** Sends to the client as if it came from the server. */
  toClient(datagram: Buffer): void {
    this.#front.send(datagram, this.#client, '127.0.0.1')
  }

  async close(): Promise<void> {
    await Promise.all([closed(this.#front), closed(this.#back)])
  }
}

function remember(datagrams: Buffer[], datagram: Buffer): void {
  datagrams.push(datagram)
  if (datagrams.length > 64) datagrams.shift()
}

/** A datagram with a long header of the version, as large as a first one must be, or not. */
function longHeader(version: number, size: number, sourceId: number): Buffer {
  const datagram = Buffer.alloc(size)
  datagram[0] = 0xc3
  datagram.writeUInt32BE(version, 1)
  datagram.set([8, 1, 2, 3, 4, 5, 6, 7, 8, 4], 5)
  datagram.writeUInt32BE(sourceId, 15)
  return datagram
}

describe('hostile datagrams', () => {
  test(`${FLOOD} of them during a transfer: it comes out whole, memory stays bounded, new clients connect`, async () => {
    const { ca, server } = certificates
    // The flood takes most of the way, and requests their time.
    const patience = { firstFrameTimeoutMs: 60_000, idleTimeoutMs: 60_000 }
    await using echo = await connectEcho({ tls: server, ...patience })
    const port = Number(new URL(echo.address).port)
    const tap = await Wiretap.start(port)
    const strangers = await Promise.all(Array.from({ length: 8 }, udpSocket))
    const options = { tls: { ca }, maxDatagramSize: 1350, idleTimeoutMs: 60_000 }
    const connector = connectQuic(`quic://127.0.0.1:${tap.port}`, options)
    const client = createClient(Echo, connector)
    const message = new Uint8Array(4 * MIB).map((_, index) => index >> 7)
    await client.echo(1)

    const random = randomFrom(11)
    const one = (n: number): void => {
      const stranger = strangers[n % strangers.length] as Socket
      const side = n % 3 === 0 ? tap.fromServer : tap.fromClient
      const seen = side[random() % side.length] as Buffer
      const changed = Buffer.from(seen)
      changed[random() % changed.length] = random()
      const spoof = (datagram: Buffer): void => (n % 3 === 0 ? tap.toClient(datagram) : tap.toServer(datagram))
      switch (n % 7) {
        case 0:
          stranger.send(seen, port, '127.0.0.1')
          break
        case 1:
          spoof(seen)
          break
        case 2:
          spoof(changed)
          break
        case 3:
          spoof(seen.subarray(0, 1 + (random() % seen.length)))
          break
        case 4:
          stranger.send(changed, port, '127.0.0.1')
          break
        case 5:
          stranger.send(longHeader(random(), random() % 1400 < 700 ? 60 : 1200, random()), port, '127.0.0.1')
          break
        default:
          stranger.send(Buffer.alloc(1 + (random() % 300), random()), port, '127.0.0.1')
      }
    }
    const before = process.memoryUsage().rss
    let transfers = 0
    let flooding = true
    const transferring = (async () => {
      while (flooding) {
        expect(Buffer.compare((await client.echo(message)) as Uint8Array, message)).toBe(0)
        transfers++
      }
    })()
    for (let n = 0; n < FLOOD; n++) {
      one(n)
      if (n % 100 === 0) await new Promise(setImmediate)
    }
    flooding = false
    await transferring
    expect(transfers).toBeGreaterThan(0)
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MIB)
    await using another = connectQuic(echo.address, { tls: { ca } })
    expect(await createClient(Echo, another).echo('new')).toBe('new')
    await connector.close()
    await tap.close()
    await Promise.all(strangers.map(closed))
  }, 120_000)

  test('a version that nobody speaks is answered with those that are spoken, by less than was asked with', async () => {
    await using echo = await connectEcho({ tls: certificates.server })
    const port = Number(new URL(echo.address).port)
    const socket = await udpSocket()
    const answered = once(socket, 'message') as Promise<[Buffer]>
    // Too small to be answered; the answer is to the second one.
    socket.send(longHeader(0x1a2a3a4a, 1199, 1), port, '127.0.0.1')
    socket.send(longHeader(0x1a2a3a4a, 1200, 2), port, '127.0.0.1')
    const [answer] = await answered
    expect(answer.readUInt32BE(1)).toBe(0)
    expect(answer.subarray(6, 10).readUInt32BE()).toBe(2)
    expect(answer.length).toBeLessThan(100)
    expect(answer.includes(Buffer.from([0, 0, 0, 1]))).toBe(true)
    await closed(socket)
  })

  test('to an address that has not proved itself, three times as many bytes are sent at most', async () => {
    let bytes = { client: 0, server: 0 }
    // The client is heard once, and hears nothing.
    using network = await VirtualNetwork.start(certificates, (side, number, size) => {
      if (side === 'client' && number > 0) return []
      bytes = { ...bytes, [side]: bytes[side] + size }
      return side === 'client' ? [0] : []
    })
    await network.closed.server
    expect(bytes.server).toBeGreaterThan(0)
    expect(bytes.server).toBeLessThanOrEqual(3 * bytes.client)
  }, 30_000)
})
