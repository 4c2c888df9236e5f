import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createClient } from '@qrpc/core'
import { connectQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadBinding, type Quiche, type QuicheConnection } from '../src/binding.ts'
import { newConnectionId } from '../src/connection/connection-id.ts'
import { checkQuicOptions } from '../src/options.ts'
import { checkCredentials } from '../src/tls/credentials.ts'
import { createConfig } from '../src/tls/quic-config.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const VERSION_NEGOTIATION = 'version negotiation'
const LONG_TYPES = ['initial', '0-rtt', 'handshake', 'retry'] as const
const AMPLIFICATION = 3

let binding: Quiche
let certificates: Certificates

beforeAll(async () => {
  binding = await loadBinding()
  certificates = await makeCertificates()
})

/** A datagram of the server's: of which type, and for which client. */
interface Answer {
  readonly type: (typeof LONG_TYPES)[number] | typeof VERSION_NEGOTIATION
  readonly id: string
  readonly datagram: Buffer
}

/** A socket that begins handshakes and need not go on with them. */
class Beginner implements AsyncDisposable {
  readonly answers: Answer[] = []
  readonly #socket: Socket
  #onAnswer: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('message', (datagram) => {
      const type = LONG_TYPES[((datagram[0] as number) >> 4) & 3] as (typeof LONG_TYPES)[number]
      const id = datagram.subarray(6, 6 + (datagram[5] as number)).toString('hex')
      this.answers.push({ type: datagram.readUInt32BE(1) === 0 ? VERSION_NEGOTIATION : type, id, datagram })
      this.#onAnswer()
    })
  }

  static async at(port: number): Promise<Beginner> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
    const connected = once(socket, 'connect')
    socket.connect(port, '127.0.0.1')
    await connected
    return new Beginner(socket)
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(datagram)
  }

  /** Resolves with the first answer to the client with the id, which may have come already. */
  async answerTo(id: string): Promise<Answer> {
    for (;;) {
      const answer = this.answers.find((each) => each.id === id)
      if (answer !== undefined) return answer
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve
      })
    }
  }

  /** All that came, once all that was sent has been looked at. */
  async all(): Promise<Answer[]> {
    // What is always answered comes behind it; the second time in a turn of its own.
    for (let turn = 0; turn < 2; turn++) {
      const id = newConnectionId()
      const probe = Buffer.alloc(1200)
      probe[0] = 0xc0
      probe.set([0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, id.length, ...id], 1)
      this.send(probe)
      await this.answerTo(Buffer.from(id).toString('hex'))
    }
    return this.answers.filter(({ type }) => type !== VERSION_NEGOTIATION)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#socket, 'close')
    this.#socket.close()
    await gone
  }
}

/** A client of quiche's that is pumped by hand, and its first datagram. */
function begin(): { quiche: QuicheConnection; id: string; initial: Buffer } {
  const config = createConfig(binding, checkQuicOptions({}), {
    credentials: checkCredentials({ ca: certificates.ca }),
    verifyPeer: true,
    maxStreams: 0,
    datagramSize: 1200,
    earlyData: false,
  })
  const id = newConnectionId()
  const quiche = binding.Connection.connect('localhost', id, LOCAL, REMOTE, config)
  return { quiche, id: Buffer.from(id).toString('hex'), initial: next(quiche) }
}

const LOCAL = { host: '127.0.0.1', port: 1 }
const REMOTE = { host: '127.0.0.1', port: 2 }

function next(quiche: QuicheConnection): Buffer {
  const buffer = Buffer.alloc(1500)
  return buffer.subarray(0, quiche.send(buffer)?.[0])
}

describe('handshakes that are begun and not finished', () => {
  test('from retryAbove on, clients must prove their address; each is sent three times its bytes at most', async () => {
    await using site = await underAttack({ retryAbove: 5, handshakeTimeoutMs: 500 })
    await using beginner = await Beginner.at(site.port)
    const first = Array.from({ length: 20 }, begin)
    for (const { initial } of first) beginner.send(initial)
    const types: string[] = []
    for (const { id } of first) types.push((await beginner.answerTo(id)).type)
    expect(types).toEqual([...Array(5).fill('initial'), ...Array(15).fill('retry')])
    expect(site.listener.counters.limits.retryAbove).toBe(15)
    // One that proves its address is let in meanwhile.
    await using connector = connectQuic(site.address, { tls: { ca: site.ca } })
    expect(await createClient(Echo, connector).echo('proven')).toBe('proven')
    // The places are free again after the time for a handshake.
    for (let type = 'retry'; type === 'retry'; ) {
      const later = begin()
      beginner.send(later.initial)
      type = (await beginner.answerTo(later.id)).type
    }
    for (const { id, initial } of first) {
      const sent = beginner.answers.filter((answer) => answer.id === id)
      const bytes = sent.reduce((sum, { datagram }) => sum + datagram.length, 0)
      expect(bytes).toBeLessThanOrEqual(AMPLIFICATION * initial.length)
    }
  })

  test('2,000 first datagrams with a bit that is wrong, or cut short: new clients connect at once', async () => {
    await using site = await underAttack()
    await using beginner = await Beginner.at(site.port)
    const { initial } = begin()
    for (let n = 0; n < 1000; n++) {
      const changed = Buffer.from(initial)
      const at = (n * 37) % changed.length
      changed[at] = (changed[at] as number) ^ (1 << (n % 8))
      beginner.send(changed)
      beginner.send(initial.subarray(0, n))
      if (n % 100 === 0) await site.othersGoOn()
    }
    await using connector = connectQuic(site.address, { tls: { ca: site.ca }, connectTimeoutMs: 2000 })
    expect(await createClient(Echo, connector).echo('new')).toBe('new')
  })

  test('a first datagram of less than 1,200 bytes is not answered, and begins nothing', async () => {
    await using site = await underAttack({ maxConnections: 2 })
    await using beginner = await Beginner.at(site.port)
    for (let n = 0; n < 100; n++) beginner.send(begin().initial.subarray(0, 1199))
    expect(await beginner.all()).toEqual([])
    await using connector = connectQuic(site.address, { tls: { ca: site.ca } })
    expect(await createClient(Echo, connector).echo('the second')).toBe('the second')
  })
})

describe('a Retry token', () => {
  /** A client that was asked for a proof, and its datagram with the token. */
  async function retried(beginner: Beginner) {
    const { quiche, id, initial } = begin()
    beginner.send(initial)
    const { type, datagram } = await beginner.answerTo(id)
    expect(type).toBe('retry')
    beginner.answers.length = 0
    quiche.recv(datagram, { from: REMOTE, to: LOCAL })
    // The header: first byte, version, two ids, and the length of the token in one byte.
    return { id, proof: next(quiche), tokenAt: 1 + 4 + 21 + 21 + 1 }
  }

  test('lets in whom it was made for, and once', async () => {
    await using site = await underAttack({ retryAbove: 0 })
    await using beginner = await Beginner.at(site.port)
    const { proof } = await retried(beginner)
    for (let n = 0; n < 50; n++) beginner.send(proof)
    const answers = await beginner.all()
    expect(answers[0]?.type).toBe('initial')
    // What is said twice does not begin a second connection.
    const ids = new Set(answers.map(({ datagram }) => datagram.subarray(27, 47).toString('hex')))
    expect(ids.size).toBe(1)
  })

  test('lets in nobody else: from another address, changed, or of another server', async () => {
    await using site = await underAttack({ retryAbove: 0 })
    await using other = await underAttack({ retryAbove: 0 })
    await using beginner = await Beginner.at(site.port)
    await using stranger = await Beginner.at(site.port)
    await using elsewhere = await Beginner.at(other.port)
    const { id, proof, tokenAt } = await retried(beginner)
    stranger.send(proof)
    elsewhere.send(proof)
    for (let n = 0; n < 60; n++) {
      const forged = Buffer.from(proof)
      forged[tokenAt + n] = (forged[tokenAt + n] as number) ^ 1
      beginner.send(forged)
    }
    for (const each of [beginner, stranger, elsewhere]) expect(await each.all()).toEqual([])
    beginner.send(proof)
    expect((await beginner.answerTo(id)).type).toBe('initial')
  })
})
