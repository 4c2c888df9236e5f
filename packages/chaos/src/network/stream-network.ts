import { once } from 'node:events'
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import type { Random } from '../random.ts'
import { type Direction, FAIR, type Manner, type Network, type Weather } from './network.ts'
import { PendingCut } from './pending-cut.ts'
import { StreamPath } from './stream-path.ts'

/** Where a server of streams is, and how an address of the network before it is written. */
export interface StreamPlace {
  readonly server: NetConnectOpts
  /** Where the network listens: a path for a Unix socket; else any free port. */
  readonly path?: string
  readonly addressOf: (port: number) => string
}

/** Puts a network in front of a server that is reached over TCP or a Unix socket. */
export async function startStreamNetwork(place: StreamPlace, random: Random): Promise<Network> {
  const network = new StreamNetwork(place, random)
  await network.listen()
  return network
}

class StreamNetwork implements Network {
  readonly passed = { up: 0, down: 0 }
  readonly pending: PendingCut = new PendingCut((manner) => this.cut(manner))
  readonly random: Random
  readonly #place: StreamPlace
  readonly #server: Server
  readonly #links = new Set<Link>()
  #weather = FAIR

  constructor(place: StreamPlace, random: Random) {
    this.#place = place
    this.random = random
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = connect({ ...place.server, allowHalfOpen: true, noDelay: true })
      this.#links.add(new Link(this, near, far, (link) => this.#links.delete(link)))
    })
  }

  get address(): string {
    const address = this.#server.address()
    return this.#place.addressOf(typeof address === 'string' ? 0 : (address?.port ?? 0))
  }

  get weather(): Weather {
    return this.#weather
  }

  set weather(weather: Weather) {
    this.#weather = weather
    for (const link of this.#links) link.flow()
  }

  async listen(): Promise<void> {
    const { path } = this.#place
    this.#server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path })
    await once(this.#server, 'listening')
  }

  cut(manner: Manner): void {
    this.pending.disarm()
    for (const link of this.#links) link.cut(manner)
  }

  cutAfter(direction: Direction, bytes: number, manner: Manner): void {
    this.pending.arm(direction, bytes, manner)
  }

  moveClients(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    await Promise.all([closed, ...[...this.#links].map((link) => link.destroy())])
  }
}

/** One connection through the network. */
class Link {
  readonly #near: Socket
  readonly #far: Socket
  readonly #paths: readonly StreamPath[]
  readonly #onGone: (link: Link) => void
  #silent = false

  constructor(network: StreamNetwork, near: Socket, far: Socket, onGone: (link: Link) => void) {
    this.#near = near
    this.#far = far
    this.#onGone = onGone
    this.#paths = [new StreamPath('up', near, far, network), new StreamPath('down', far, near, network)]
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {})
      socket.on('close', (failed) => {
        if (near.destroyed && far.destroyed) this.#gone()
        // A connection that ended as it should has said so in its stream; what broke it off breaks off the rest.
        else if (!this.#silent && (failed || !socket.readableEnded)) other.destroy()
      })
    }
  }

  flow(): void {
    for (const path of this.#paths) path.flow()
  }

  cut(manner: Manner): void {
    if (manner === 'silence') this.#silent = true
    for (const path of this.#paths) path.drop()
    if (manner === 'silence') return
    for (const socket of [this.#near, this.#far]) {
      // A Unix socket has no address, and knows no reset.
      if (manner === 'reset' && socket.remoteAddress !== undefined) socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  async destroy(): Promise<void> {
    await Promise.all(
      [this.#near, this.#far].map(async (socket) => {
        if (socket.closed) return
        const closed = once(socket, 'close')
        socket.destroy()
        await closed
      }),
    )
  }

  #gone(): void {
    for (const path of this.#paths) path.drop()
    this.#onGone(this)
  }
}
