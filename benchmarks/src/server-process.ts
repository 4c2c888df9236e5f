import { peerEntry } from './peers/index.ts'
import type { PeerSettings } from './peers/peer.ts'
import { memoryInUse, obey } from './run/obey.ts'
import type { ServerOrder } from './run/orders.ts'

obey(async (order: ServerOrder) => {
  if (order.order === 'memory') return memoryInUse()
  return await serve(order.peer, order.settings)
})

async function serve(name: string, settings: PeerSettings): Promise<string> {
  const { default: peer } = await peerEntry(name).load()
  if (peer.serve === undefined) throw new Error(`${name} has no server`)
  return peer.serve(settings)
}
