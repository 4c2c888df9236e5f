import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createClient, type Handlers } from '@qrpc/core'
import { connectQuic } from '@qrpc/transport-quic'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from './certificates.ts'
import { connectEcho, Echo } from './service.ts'

async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

async function closed(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) {
    const gone = once(socket, 'close')
    socket.close()
    await gone
  }
}

const whereFrom: Partial<Handlers<typeof Echo>> = { echo: (_, { peer }) => peer.address }

/** A relay between a client and a server, which can change the port that the server sees, as a NAT does. */
async function startRelay(server: number) {
  const front = await udpSocket()
  const backs: Socket[] = []
  let client = 0
  const relay = {
    port: front.address().port,
    /** The port that the server sees. */
    get seen() {
      return relay.back.address().port
    },
    back: front,
    /** Sees each datagram for the server, before it leaves. */
    onDatagram: ((): void => {}) as (datagram: Buffer) => void,
    /** Sees it once it has left. */
    onForwarded: ((): void => {}) as (datagram: Buffer) => void,
    async rebind(): Promise<void> {
      const back = await udpSocket()
      back.on('message', (datagram) => front.send(datagram, client, '127.0.0.1'))
      backs.push(back)
      relay.back = back
    },
    [Symbol.asyncDispose]: () => closed(front, ...backs),
  }
  await relay.rebind()
  front.on('message', (datagram, { port }) => {
    client = port
    relay.onDatagram(datagram)
    relay.back.send(datagram, server, '127.0.0.1')
    relay.onForwarded(datagram)
  })
  return relay
}

/** A header as it should be, and nothing behind it that could be. */
function broken(datagram: Buffer): Buffer {
  return Buffer.concat([datagram.subarray(0, 60), Buffer.alloc(1200)])
}

describe('the address of a peer', () => {
  test.each([
    // Who comes first with a whole copy is where the peer may have moved to, as far as anybody can tell.
    ['whole ones behind the true ones', true],
    ['broken ones before the true ones', false],
  ])('is where it is, also when copies of its datagrams come from elsewhere: %s', async (_, whole) => {
    const { ca, server } = await makeCertificates()
    await using echo = await connectEcho({ tls: server }, {}, whereFrom)
    const port = Number(new URL(echo.address).port)
    const stranger = await udpSocket()
    await using relay = await startRelay(port)
    if (whole) relay.onForwarded = (datagram) => stranger.send(datagram, port, '127.0.0.1')
    else relay.onDatagram = (datagram) => stranger.send(broken(datagram), port, '127.0.0.1')
    await using connector = connectQuic(`quic://127.0.0.1:${relay.port}`, { tls: { ca } })
    const client = createClient(Echo, connector)
    for (let n = 0; n < 50; n++) expect(await client.echo(n)).toBe(`127.0.0.1:${relay.seen}`)
    await closed(stranger)
  })

  test('may change: the connection goes on, and calls with it', async () => {
    const { ca, server } = await makeCertificates()
    await using echo = await connectEcho({ tls: server })
    await using relay = await startRelay(Number(new URL(echo.address).port))
    await using connector = connectQuic(`quic://127.0.0.1:${relay.port}`, { tls: { ca } })
    const call = createClient(Echo, connector).talk()
    for (let n = 0; n < 20; n++) {
      await call.send(n)
      expect(await call.receive()).toBe(n)
      await relay.rebind()
    }
    call.cancel()
  })
})
