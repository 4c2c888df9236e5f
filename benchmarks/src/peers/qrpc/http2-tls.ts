import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { adapt, Bench, handlers } from './contract.ts'

/** With unary calls on a lane, or each on a stream of its own. */
export function http2TlsPeer(lanes: boolean): Peer {
  return {
    async serve({ host, tls: { key, cert } }) {
      const listener = await listenHttp2({ host, tls: { key, cert }, maxConcurrentStreams: MAX_STREAMS, lanes })
      return String(serve(Bench, handlers, listener).addresses[0])
    },
    async connect(address, { tls: { ca } }) {
      const connector = connectHttp2(address, { tls: { ca }, maxConcurrentStreams: MAX_STREAMS, lanes })
      return adapt(createClient(Bench, connector), () => connector.close())
    },
  }
}

export default http2TlsPeer(true)
