import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseAddress } from './address.ts'
import type { Conditions } from './conditions.ts'
import { DelayLine } from './delay-line.ts'

const BUFFER = 4 * 1024 * 1024
/** The same datagrams are lost in each run, as far as they are the same. */
const SEED = 20_240

/** Puts a distance, and loss, between the clients of a server and the server. @returns Where clients find it now. */
export async function relayUdp(address: string, { roundTripMs, loss }: Conditions): Promise<string> {
  const { scheme, host, port } = parseAddress(address)
  const random = randomNumbers(SEED)
  const front = createSocket({ type: 'udp4', recvBufferSize: BUFFER, sendBufferSize: BUFFER })
  const lines = new Map<number, DelayLine<Buffer>>()

  const lineFor = (client: number): DelayLine<Buffer> => {
    const known = lines.get(client)
    if (known !== undefined) return known
    const back: Socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER, sendBufferSize: BUFFER })
    back.on('error', () => {})
    const toClient = new DelayLine<Buffer>(Math.ceil(roundTripMs / 2), (datagram) => front.send(datagram, client, host))
    const toServer = new DelayLine<Buffer>(Math.floor(roundTripMs / 2), (datagram) => back.send(datagram, port, host))
    back.on('message', (datagram) => {
      if (random() >= loss) toClient.put(datagram)
    })
    lines.set(client, toServer)
    return toServer
  }

  front.on('error', () => {})
  front.on('message', (datagram, from) => {
    const line = lineFor(from.port)
    if (random() >= loss) line.put(datagram)
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  return `${scheme}127.0.0.1:${front.address().port}`
}

/** mulberry32: random numbers that are the same each time. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
