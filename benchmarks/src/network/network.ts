import { peerEntry } from '../peers/index.ts'
import { Child } from '../run/child.ts'
import type { ProxyOrder } from '../run/orders.ts'
import { type Conditions, NETWORK_DATAGRAM } from './conditions.ts'

export const LOOPBACK = '127.0.0.1'

/** What stands between the clients and the servers of a case. */
export interface Network extends AsyncDisposable {
  readonly description: string
  /** Where servers listen. */
  readonly host: string
  /** Bytes of a datagram on it; none: what the address suggests. */
  readonly maxDatagramSize?: number
  /** Why it cannot be had for a peer. */
  cannotCarry(peer: string): string | undefined
  /** Where clients find the peer's server at that address. */
  reach(peer: string, address: string): Promise<string>
}

/** A network with these conditions; without any, the machine's own loopback. */
export function startNetwork(conditions: Conditions | undefined): Network {
  return conditions === undefined ? loopback : relays(conditions)
}

const loopback: Network = {
  description: 'loopback',
  host: LOOPBACK,
  cannotCarry: () => undefined,
  reach: async (_, address) => address,
  [Symbol.asyncDispose]: async () => {},
}

/** Relays between sockets. They cannot lose what TCP has acknowledged. */
function relays(conditions: Conditions): Network {
  const children: Child<ProxyOrder>[] = []
  return {
    ...loopback,
    description: 'relays between sockets',
    maxDatagramSize: NETWORK_DATAGRAM,
    cannotCarry: (peer) =>
      conditions.loss > 0 && peerEntry(peer).transport !== 'quic' ? 'a relay cannot lose parts of TCP' : undefined,
    async reach(peer, address) {
      const child = new Child<ProxyOrder>('proxy-process')
      children.push(child)
      const protocol = peerEntry(peer).transport === 'quic' ? 'udp' : 'tcp'
      return child.tell({ order: 'relay', protocol, address, conditions }, START_MS)
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill()
    },
  }
}

const START_MS = 20_000
