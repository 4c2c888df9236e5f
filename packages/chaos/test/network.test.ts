import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startDatagramNetwork } from '../src/network/datagram-network.ts'
import { FAIR, type Manner, type Network } from '../src/network/network.ts'
import { startStreamNetwork } from '../src/network/stream-network.ts'
import { Random } from '../src/random.ts'
import { portOf } from '../src/transports.ts'

const LOOPBACK = '127.0.0.1'

async function until(met: () => boolean): Promise<void> {
  while (!met()) await nextTurn()
}

/** A connection through a network. */
async function connectThrough(use: (bed: { network: Network; near: Socket; far: Socket }) => Promise<void>) {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const place = { host: LOOPBACK, port: (server.address() as AddressInfo).port }
  const network = await startStreamNetwork({ server: place, addressOf: (port) => `tcp://a:${port}` }, new Random(1))
  const near = connect(portOf(network.address), LOOPBACK)
  const [far] = (await once(server, 'connection')) as [Socket]
  for (const socket of [near, far]) socket.on('error', () => {})
  await use({ network, near, far })
  near.destroy()
  far.destroy()
  await network[Symbol.asyncDispose]()
  server.close()
}

/** All that arrives at a socket. */
function arriving(socket: Socket): { readonly text: string; readonly closed: boolean } {
  const arrived = { text: '', closed: false }
  socket.on('data', (chunk) => {
    arrived.text += chunk.toString()
  })
  socket.on('close', () => {
    arrived.closed = true
  })
  return arrived
}

describe('a network of streams', () => {
  test('carries all, in order, whatever the weather', () =>
    connectThrough(async ({ network, near, far }) => {
      const arrived = arriving(far)
      network.weather = { ...FAIR, delayMs: 2, jitterMs: 5, loss: 0.2 }
      let sent = ''
      for (let n = 0; n < 50; n++) {
        near.write(`${n} `)
        sent += `${n} `
        await nextTurn()
      }
      await until(() => arrived.text.length === sent.length)
      expect(arrived.text).toBe(sent)
      near.end('end')
      await once(far, 'end')
      expect(arrived.text).toBe(`${sent}end`)
    }))

  test.each<Manner>(['reset', 'end'])('cuts a connection after as many bytes as it is told: %s', (manner) =>
    connectThrough(async ({ network, near, far }) => {
      const [up, down] = [arriving(far), arriving(near)]
      network.cutAfter('up', 7, manner)
      far.write('down')
      await until(() => down.text === 'down')
      near.write('12345')
      await until(() => up.text === '12345')
      near.write('67890')
      await until(() => up.closed && down.closed)
      // What a reset finds unread in the kernel is gone.
      expect(manner === 'end' ? ['1234567'] : ['12345', '1234567']).toContain(up.text)
      expect(network.passed).toEqual({ up: 7, down: 4 })
    }),
  )

  test('lets a connection fall silent, so that neither side hears of the other', () =>
    connectThrough(async ({ network, near, far }) => {
      const [up, down] = [arriving(far), arriving(near)]
      network.cutAfter('up', 2, 'silence')
      near.write('1234')
      await until(() => up.text === '12')
      far.write('lost')
      near.destroy()
      await until(() => down.closed)
      expect(up).toEqual({ text: '12', closed: false })
      expect(down.text).toBe('')
    }))

  test('keeps what is sent into a blackhole for later', () =>
    connectThrough(async ({ network, near, far }) => {
      const [up, down] = [arriving(far), arriving(near)]
      network.weather = { ...FAIR, blackhole: 'up' }
      near.write('up')
      far.write('down')
      await until(() => down.text === 'down')
      expect(up.text).toBe('')
      network.weather = FAIR
      await until(() => up.text === 'up')
    }))
})

/** The numbers that come back, through a network, from a server that sends back what it gets; the first 100 that do. */
async function echoes(weather: Partial<typeof FAIR>): Promise<number[]> {
  const server = createSocket('udp4')
  const client = createSocket('udp4')
  server.on('message', (datagram, { port }) => server.send(datagram, port, LOOPBACK))
  for (const socket of [server, client]) {
    socket.bind(0, LOOPBACK)
    await once(socket, 'listening')
  }
  const echoed: number[] = []
  client.on('message', (datagram) => echoed.push(Number(datagram)))
  const network = await startDatagramNetwork(server.address().port, (port) => `udp://a:${port}`, new Random(1))
  network.weather = { ...FAIR, ...weather }
  for (let n = 0; echoed.length < 100; n++) {
    client.send(String(n), portOf(network.address), LOOPBACK)
    await nextTurn()
  }
  for (const socket of [client, server]) socket.close()
  await network[Symbol.asyncDispose]()
  return echoed.slice(0, 100)
}

describe('a network of datagrams', () => {
  test('carries all in order where the weather is fair', async () => {
    expect(await echoes({})).toEqual([...Array(100).keys()])
  })

  test('loses some', async () => {
    expect(Math.max(...(await echoes({ loss: 0.3 })))).toBeGreaterThan(120)
  })

  test('carries some twice', async () => {
    expect(new Set(await echoes({ duplicates: 0.3 })).size).toBeLessThan(80)
  })

  test('lets some overtake others', async () => {
    const echoed = await echoes({ jitterMs: 5 })
    expect(echoed).not.toEqual(echoed.toSorted((a, b) => a - b))
  })
})

describe('random choices', () => {
  const sequence = (random: Random): number[] => Array.from({ length: 20 }, () => random.between(0, 1_000_000))

  test('are the same for the same seed and name, and for no other', () => {
    expect(sequence(new Random(5))).toEqual(sequence(new Random(5)))
    expect(sequence(new Random(5))).not.toEqual(sequence(new Random(6)))
    expect(sequence(new Random(5).fork('a'))).not.toEqual(sequence(new Random(5).fork('b')))
    expect(sequence(new Random(5).fork('a'))).not.toEqual(sequence(new Random(6).fork('a')))
  })

  test('do not hang on what was chosen before', () => {
    const random = new Random(5)
    const fork = sequence(random.fork('a'))
    sequence(random)
    expect(sequence(random.fork('a'))).toEqual(fork)
  })
})
