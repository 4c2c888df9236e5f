import { type Conditions, NETWORK_DATAGRAM } from '../network/conditions.ts'
import { peerEntry } from '../peers/index.ts'
import type { PeerSettings } from '../peers/peer.ts'
import { Child } from './child.ts'
import type { ClientOrder, ProxyOrder, ServerOrder } from './orders.ts'

const START_MS = 20_000

/** Client and server of one peer in a process each, and a network between them where one is asked for. */
export class Site implements Disposable {
  readonly client: Child<ClientOrder> = new Child('client-process')
  readonly server: Child<ServerOrder> | undefined
  readonly #proxy: Child<ProxyOrder> | undefined

  private constructor(local: boolean, conditions: Conditions | undefined) {
    if (!local) this.server = new Child('server-process')
    if (conditions !== undefined) this.#proxy = new Child('proxy-process')
  }

  /** @throws Error when a process does not start or the client does not connect. */
  static async start(peer: string, tls: PeerSettings['tls'], conditions?: Conditions): Promise<Site> {
    const { transport } = peerEntry(peer)
    const settings = conditions === undefined ? { tls } : { tls, maxDatagramSize: NETWORK_DATAGRAM }
    const site = new Site(transport === 'in process', conditions)
    try {
      let address = ''
      if (site.server !== undefined) {
        address = await site.server.tell<string>({ order: 'serve', peer, settings }, START_MS)
      }
      if (site.#proxy !== undefined && conditions !== undefined) {
        const protocol = transport === 'quic' ? 'udp' : 'tcp'
        address = await site.#proxy.tell({ order: 'relay', protocol, address, conditions }, START_MS)
      }
      await site.client.tell({ order: 'connect', peer, address, settings }, START_MS)
      return site
    } catch (error) {
      site[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    for (const child of [this.client, this.#proxy, this.server]) child?.kill()
  }
}
