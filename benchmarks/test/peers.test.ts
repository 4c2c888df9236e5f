import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peerEntry, peers } from '../src/peers/index.ts'
import { LARGE, message, type Peer, type PeerClient, type PeerSettings, SMALL } from '../src/peers/peer.ts'
import { makeCertificate } from '../src/run/certificate.ts'
import { Child } from '../src/run/child.ts'
import type { ServerOrder } from '../src/run/orders.ts'

const ABILITIES = ['download', 'upload', 'converse'] as const
// More than what any of them packs into one buffer.
const STREAMS = [
  [3000, SMALL],
  [50, LARGE],
] as const
const START_MS = 15_000

const tls = await makeCertificate(['127.0.0.1'])

// What a peer does wrong or leaves out would be measured as speed.
describe.each(Object.keys(peers))('the adapter of %s', async (name) => {
  const { default: peer } = await peerEntry(name).load()
  let site: Site
  beforeAll(async () => {
    site = await start(name, peer, { host: '127.0.0.1', tls })
  })
  afterAll(() => site?.close())

  test('says of each ability why it is missing, or has it', () => {
    for (const ability of ABILITIES) {
      const reason = peer.cannot?.[ability]
      expect(typeof site.client[ability] === 'function' ? 'able' : reason).toBe(reason ?? 'able')
    }
  })

  test.each([SMALL, 1024 * 1024])('brings back a message of %i bytes', async (size) => {
    const request = message(size).map((_, i) => i % 251)
    expect(Buffer.compare(await site.client.echo(request), request)).toBe(0)
  })

  test('has many calls on the way', async () => {
    const answers = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => (await site.client.echo(message(SMALL).fill(i)))[SMALL - 1]),
    )
    expect(answers).toEqual(Array.from({ length: 64 }, (_, i) => i))
  })

  test.runIf(peer.cannot?.download === undefined).each([SMALL, LARGE])(
    'downloads messages of %i bytes',
    async (size) => {
      expect(await site.client.download?.(100, size)).toBe(100 * size)
    },
  )

  test.runIf(peer.cannot?.upload === undefined).each(STREAMS)(
    'uploads %i messages of %i bytes',
    async (count, size) => {
      expect(await site.client.upload?.(count, message(size))).toBe(count * size)
    },
  )

  test.runIf(peer.cannot?.converse === undefined)('holds several conversations, message by message', async () => {
    const conversations = Array.from({ length: 3 }, () => site.client.converse?.())
    for (const [i, conversation] of conversations.entries()) {
      for (let n = 0; n < 5; n++) {
        await conversation?.send(message(SMALL).fill(10 * i + n))
        expect((await conversation?.receive())?.[0]).toBe(10 * i + n)
      }
    }
    for (const conversation of conversations) {
      conversation?.end()
      expect(await conversation?.receive()).toBeUndefined()
    }
  })
})

interface Site {
  readonly client: PeerClient
  close(): Promise<void>
}

async function start(name: string, peer: Peer, settings: PeerSettings): Promise<Site> {
  const server = peer.serve === undefined ? undefined : new Child<ServerOrder>('server-process')
  const address = (await server?.tell<string>({ order: 'serve', peer: name, settings }, START_MS)) ?? ''
  const client = await peer.connect(address, settings)
  return {
    client,
    async close() {
      await client.close()
      server?.kill()
    },
  }
}
