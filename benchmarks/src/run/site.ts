import type { Network } from '../network/network.ts'
import { peerEntry } from '../peers/index.ts'
import type { PeerSettings } from '../peers/peer.ts'
import { Child } from './child.ts'
import type { ClientOrder, ServerOrder } from './orders.ts'

const START_MS = 20_000

/** Client and server of one peer, in a process each where they are two. */
export class Site implements Disposable {
  readonly client: Child<ClientOrder>
  readonly server: Child<ServerOrder> | undefined

  private constructor(local: boolean) {
    this.client = new Child('client-process')
    if (!local) this.server = new Child('server-process')
  }

  /** @throws Error when a process does not start or the client does not connect. */
  static async start(peer: string, tls: PeerSettings['tls'], network: Network): Promise<Site> {
    const { host, maxDatagramSize } = network
    const settings: PeerSettings = { host, tls, ...(maxDatagramSize !== undefined && { maxDatagramSize }) }
    const site = new Site(peerEntry(peer).transport === 'in process')
    try {
      let address = ''
      if (site.server !== undefined) {
        const own = await site.server.tell<string>({ order: 'serve', peer, settings }, START_MS)
        address = await network.reach(peer, own)
      }
      await site.client.tell({ order: 'connect', peer, address, settings }, START_MS)
      return site
    } catch (error) {
      site[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.client.kill()
    this.server?.kill()
  }
}
