import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { parseAddress } from '../src/network/address.ts'
import { DelayLine } from '../src/network/delay-line.ts'
import { startNetwork } from '../src/network/network.ts'

const NO_LOSS = { roundTripMs: 2, loss: 0 }

afterEach(() => void vi.useRealTimers())

test('a delay line passes things on in order, each after its time', () => {
  vi.useFakeTimers()
  const arrived: string[] = []
  const line = new DelayLine<string>(10, (item) => arrived.push(item))
  line.put('a')
  vi.advanceTimersByTime(6)
  line.put('b')
  vi.advanceTimersByTime(3)
  expect(arrived).toEqual([])
  vi.advanceTimersByTime(1)
  expect(arrived).toEqual(['a'])
  vi.advanceTimersByTime(6)
  expect(arrived).toEqual(['a', 'b'])
  line.put('c')
  line.clear()
  vi.advanceTimersByTime(100)
  expect(arrived).toEqual(['a', 'b'])
})

test('a relay carries TCP both ways, to the end of each', async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  await using network = startNetwork(NO_LOSS)
  const address = await network.reach('raw-http2', `http://127.0.0.1:${(echo.address() as AddressInfo).port}`)
  expect(address).toMatch(/^http:\/\//)
  const { host, port } = parseAddress(address)
  const sent = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251))
  const socket = connect({ host, port, allowHalfOpen: true })
  socket.end(sent)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  expect(Buffer.compare(Buffer.concat(chunks), sent)).toBe(0)
  echo.close()
})

test('a relay loses the share of datagrams that it is told to', async () => {
  const server = createSocket('udp4')
  server.on('message', (datagram, { port, address }) => server.send(datagram, port, address))
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${server.address().port}`
  await using reliable = startNetwork(NO_LOSS)
  await using lossy = startNetwork({ roundTripMs: 2, loss: 0.5 })
  expect(await echoes(await reliable.reach('qrpc-quic', address), 200)).toBe(200)
  const arrived = await echoes(await lossy.reach('qrpc-quic', address), 200)
  // A quarter survives both ways.
  expect(arrived).toBeGreaterThan(20)
  expect(arrived).toBeLessThan(90)
  server.close()
})

test('a relay says that it cannot lose parts of TCP', async () => {
  await using network = startNetwork({ roundTripMs: 2, loss: 0.01 })
  expect(network.cannotCarry('raw-http2')).toBe('a relay cannot lose parts of TCP')
  expect(network.cannotCarry('qrpc-quic')).toBeUndefined()
})

/** How many of so many datagrams come back, once a last one has. */
async function echoes(address: string, count: number): Promise<number> {
  const { host, port } = parseAddress(address)
  const socket: UdpSocket = createSocket('udp4')
  let arrived = 0
  const last = new Promise<void>((resolve) => {
    socket.on('message', (datagram) => {
      if (datagram.toString() === 'last') resolve()
      else arrived++
    })
  })
  for (let n = 0; n < count; n++) {
    socket.send(String(n), port, host)
    // Not more than the socket's buffer takes.
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const again = setInterval(() => socket.send('last', port, host), 20)
  await last
  clearInterval(again)
  socket.close()
  return arrived
}
