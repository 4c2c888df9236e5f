import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** What a network does to datagrams, each way. */
export interface NetworkOptions {
  /** How long each takes, in ms. */
  readonly delayMs: number
  /** How much longer some take: enough, and they overtake each other. */
  readonly jitterMs: number
  /** The share that is lost. */
  readonly loss: number
  /** The share that arrives twice. */
  readonly duplicates: number
  /** The same seed gives the same fate to the same datagrams. */
  readonly seed: number
}

/** A relay that stands between clients and a server. */
export interface Network extends AsyncDisposable {
  /** Where clients find it. */
  readonly port: number
  /** Whether all that the server sends is lost. */
  mute: boolean
  close(): Promise<void>
}

/** Puts a network in front of a server on loopback. */
export async function startNetwork(server: number, options: NetworkOptions): Promise<Network> {
  const random = mulberry32(options.seed)
  const timers = new Set<NodeJS.Timeout>()
  const upstream = new Map<number, Socket>()
  const front = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  let closed = false

  const travel = (arrive: () => void): void => {
    if (random() < options.loss) return
    const times = random() < options.duplicates ? 2 : 1
    for (let n = 0; n < times; n++) {
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          if (!closed) arrive()
        },
        options.delayMs + random() * options.jitterMs,
      )
      timers.add(timer)
    }
  }

  const towards = (client: number): Socket => {
    const known = upstream.get(client)
    if (known !== undefined) return known
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
    socket.on('error', () => {})
    socket.on('message', (datagram) => {
      if (!network.mute) travel(() => front.send(datagram, client, '127.0.0.1'))
    })
    upstream.set(client, socket)
    return socket
  }

  front.on('error', () => {})
  front.on('message', (datagram, { port }) => {
    const socket = towards(port)
    travel(() => socket.send(datagram, server, '127.0.0.1'))
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  const network: Network = {
    [Symbol.asyncDispose]() {
      return this.close()
    },
    port: front.address().port,
    mute: false,
    async close() {
      closed = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(
        [front, ...upstream.values()].map(async (socket) => {
          const gone = once(socket, 'close')
          socket.close()
          await gone
        }),
      )
    },
  }
  return network
}

/** Random numbers that are the same each time. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
