import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from './certificates.ts'
import { Collected, type Fate, VirtualNetwork } from './virtual-network.ts'

// Two connections without sockets, pumped into each other. quiche reads the real clock; what happens to which datagram is
// the same each time.

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

const AT_ONCE: Fate = () => [0]

/** Loses, doubles and reorders, by the number of the datagram alone. */
function lossy(seed: number): Fate {
  return (side, number) => {
    let hash = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(seed + (side === 'client' ? 1 : 2), 0x85ebca6b)
    hash = (hash ^ (hash >>> 15)) >>> 0
    if (hash % 100 < 5) return []
    return hash % 100 < 10 ? [hash % 7, 9] : [hash % 7]
  }
}

function open(network: VirtualNetwork): { stream: ReturnType<VirtualNetwork['client']['openStream']>; got: Collected } {
  const stream = network.client.openStream(() => {})
  const got = new Collected()
  stream.reader = got
  return { stream, got }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('two connections over a virtual network', () => {
  test('establish with three flights, and carry a stream each way', async () => {
    using network = await VirtualNetwork.start(certificates, AT_ONCE)
    network.onStream = (stream) => {
      const got = new Collected(() => stream.write([Buffer.from(`you said ${text(got.bytes)}`)], 11, true))
      stream.reader = got
    }
    await network.established
    expect(network.sent.client).toBeLessThan(5)
    const { stream, got } = open(network)
    stream.write([Buffer.from('hi')], 2, true)
    expect(text(await got.ended)).toBe('you said hi')
  })

  test.each([1, 2, 3])('loss, doubles and reordering change nothing in what arrives (seed %d)', async (seed) => {
    using network = await VirtualNetwork.start(certificates, lossy(seed))
    network.onStream = (stream) => {
      const got = new Collected(() => stream.write([got.bytes], got.bytes.length, true))
      stream.reader = got
    }
    await network.established
    const streams = Array.from({ length: 5 }, (_, n) => {
      const { stream, got } = open(network)
      const bytes = Buffer.alloc(50_000, n + 1)
      stream.write([bytes], bytes.length, true)
      return got.ended.then((received) => Buffer.compare(received, bytes))
    })
    expect(await Promise.all(streams)).toEqual([0, 0, 0, 0, 0])
  })

  test('a packet that is lost on one stream holds up no other', async () => {
    using network = await VirtualNetwork.start(certificates, AT_ONCE)
    const order: string[] = []
    let all!: () => void
    const done = new Promise<void>((resolve) => {
      all = resolve
    })
    network.onStream = (stream) => {
      const got = new Collected(() => {
        order.push(text(got.bytes))
        if (order.length === 3) all()
      })
      stream.reader = got
    }
    await network.established
    network.fate = (side) => (side === 'client' ? [] : [0])
    open(network).stream.write([Buffer.from('lost at first')], 13, true)
    const { client } = network.sent
    network.client.flush()
    expect(network.sent.client).toBeGreaterThan(client)
    network.fate = AT_ONCE
    open(network).stream.write([Buffer.from('second')], 6, true)
    open(network).stream.write([Buffer.from('third')], 5, true)
    await done
    expect(order).toEqual(['second', 'third', 'lost at first'])
  })

  test('a close is heard by the other side, with its reason', async () => {
    using network = await VirtualNetwork.start(certificates, AT_ONCE)
    await network.established
    network.client.close(7, Object.assign(new Error('enough')) as never)
    expect((await network.closed.server).message).toContain('enough')
  })

  test('a peer that is gone is noticed by the idle timeout, and nothing is sent without end', async () => {
    using network = await VirtualNetwork.start(certificates, AT_ONCE)
    await network.established
    network.fate = () => []
    open(network).stream.write([Buffer.from('anybody?')], 8, true)
    expect((await network.closed.client).message).toContain('no longer answers')
    expect(network.sent.client).toBeLessThan(100)
  }, 15_000)

  test('garbage from nowhere ends nothing', async () => {
    using network = await VirtualNetwork.start(certificates, AT_ONCE)
    await network.established
    for (let n = 0; n < 10_000; n++) {
      const garbage = Buffer.alloc(1 + (n % 1400), n)
      network.client.receive(garbage, '127.0.0.1', 2)
      network.server.receive(garbage, '127.0.0.1', 1)
    }
    const got = new Promise<string>((resolve) => {
      network.onStream = (stream) => {
        const collected = new Collected(() => resolve(text(collected.bytes)))
        stream.reader = collected
      }
    })
    open(network).stream.write([Buffer.from('still here')], 10, true)
    expect(await got).toBe('still here')
  })
})
