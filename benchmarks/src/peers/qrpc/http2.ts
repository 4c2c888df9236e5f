import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { adapt, Bench, handlers } from './contract.ts'

/** With unary calls on a lane, or each on a stream of its own. */
export function http2Peer(lanes: boolean): Peer {
  return {
    async serve({ host }) {
      const server = serve(Bench, handlers, await listenHttp2({ host, maxConcurrentStreams: MAX_STREAMS, lanes }))
      return String(server.addresses[0])
    },
    async connect(address) {
      const connector = connectHttp2(address, { maxConcurrentStreams: MAX_STREAMS, lanes })
      return adapt(createClient(Bench, connector), () => connector.close())
    },
  }
}

export default http2Peer(true)
