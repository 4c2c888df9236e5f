import { createClient, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import type { Peer } from '../peer.ts'
import { adapt, Bench, handlers } from '../qrpc/contract.ts'

const peer: Peer = {
  async connect() {
    const { connector, listener } = createMemoryTransport()
    const server = serve(Bench, handlers, listener)
    return adapt(createClient(Bench, connector), () => server.close())
  },
}
export default peer
