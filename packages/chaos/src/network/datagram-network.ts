import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Random } from '../random.ts'
import { type Direction, FAIR, type Manner, type Network, swallows, type Weather } from './network.ts'
import { PendingCut } from './pending-cut.ts'

const LOOPBACK = '127.0.0.1'
const BUFFER = 4 * 1024 * 1024
/** After how long without a datagram a client is thought to be gone, in ms: its connections have timed out by then. */
const FORGOTTEN_AFTER_MS = 5000

/** Puts a network in front of a server on a UDP port of this machine. */
export async function startDatagramNetwork(
  server: number,
  addressOf: (port: number) => string,
  random: Random,
): Promise<Network> {
  const network = new DatagramNetwork(server, addressOf, random)
  await network.listen()
  return network
}

/** What there is of one client. */
interface Flow {
  socket: Socket
  /** Cut off: nothing passes any more. */
  dead: boolean
  /** When something passed last. */
  at: number
}

class DatagramNetwork implements Network {
  weather: Weather = FAIR
  readonly passed = { up: 0, down: 0 }
  readonly #pending: PendingCut = new PendingCut(() => this.cut())
  readonly #server: number
  readonly #addressOf: (port: number) => string
  readonly #random: Random
  readonly #front: Socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER })
  readonly #flows = new Map<number, Flow>()
  // Of all flows, and those that clients have moved away from.
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(server: number, addressOf: (port: number) => string, random: Random) {
    this.#server = server
    this.#addressOf = addressOf
    this.#random = random
    this.#front.on('error', () => {})
    this.#front.on('message', (datagram, { port }) => {
      const flow = this.#flowOf(port)
      this.#travel('up', datagram, flow, (arrived) => flow.socket.send(arrived, this.#server, LOOPBACK))
    })
  }

  get address(): string {
    return this.#addressOf(this.#front.address().port)
  }

  async listen(): Promise<void> {
    this.#front.bind(0, LOOPBACK)
    await once(this.#front, 'listening')
  }

  cut(): void {
    this.#pending.disarm()
    for (const flow of this.#flows.values()) flow.dead = true
  }

  cutAfter(direction: Direction, bytes: number, manner: Manner): void {
    this.#pending.arm(direction, bytes, manner)
  }

  moveClients(): void {
    for (const [client, flow] of this.#flows) {
      const former = flow.socket
      flow.socket = this.#socketFor(client, flow)
      // What is on its way to the old address still arrives: this quiche never sends it again, and what waits for it hangs.
      this.#later(FORGOTTEN_AFTER_MS, () => this.#close(former))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(
      [this.#front, ...this.#sockets].map(async (socket) => {
        const closed = once(socket, 'close')
        socket.close()
        await closed
      }),
    )
  }

  #flowOf(client: number): Flow {
    const known = this.#flows.get(client)
    // The port of a client that is gone may be that of another one.
    if (known !== undefined && !(known.dead && isForgotten(known))) return known
    for (const [port, flow] of this.#flows) if (isForgotten(flow)) this.#forget(port, flow)
    const flow = { dead: false, at: performance.now() } as Flow
    flow.socket = this.#socketFor(client, flow)
    this.#flows.set(client, flow)
    return flow
  }

  #forget(client: number, flow: Flow): void {
    flow.dead = true
    this.#close(flow.socket)
    this.#flows.delete(client)
  }

  #close(socket: Socket): void {
    this.#sockets.delete(socket)
    socket.close()
  }

  #socketFor(client: number, flow: Flow): Socket {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER })
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('message', (datagram) => {
      this.#travel('down', datagram, flow, (arrived) => this.#front.send(arrived, client, LOOPBACK))
    })
    return socket
  }

  #travel(direction: Direction, sent: Buffer, flow: Flow, arrive: (datagram: Buffer) => void): void {
    const { weather } = this
    if (flow.dead) return
    flow.at = performance.now()
    if (swallows(weather, direction)) return
    const random = this.#random
    if (weather.loss > 0 && random.chance(weather.loss)) return
    const datagram = weather.corrupted > 0 && random.chance(weather.corrupted) ? corrupted(sent, random) : sent
    const times = weather.duplicates > 0 && random.chance(weather.duplicates) ? 2 : 1
    for (let n = 0; n < times; n++) {
      const delay = weather.delayMs + (weather.jitterMs > 0 ? random.between(0, weather.jitterMs) : 0)
      if (delay > 0) this.#later(delay, () => this.#arrive(direction, datagram, flow, arrive))
      else this.#arrive(direction, datagram, flow, arrive)
    }
  }

  #arrive(direction: Direction, datagram: Buffer, flow: Flow, arrive: (datagram: Buffer) => void): void {
    if (this.#closed || flow.dead) return
    const bytes = datagram.length
    // A part of a datagram is none.
    if (this.#pending.take(direction, bytes) < bytes) this.#pending.fire()
    else {
      this.passed[direction] += bytes
      arrive(datagram)
    }
  }

  #later(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delay)
    this.#timers.add(timer)
  }
}

/** A copy with another bit. */
function corrupted(datagram: Buffer, random: Random): Buffer {
  const copy = Buffer.from(datagram)
  const at = random.between(0, copy.length - 1)
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.between(0, 7)), at)
  return copy
}

function isForgotten({ at }: Flow): boolean {
  return performance.now() - at > FORGOTTEN_AFTER_MS
}
