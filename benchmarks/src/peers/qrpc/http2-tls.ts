import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { adapt, Bench, handlers } from './contract.ts'

const peer: Peer = {
  async serve({ host, tls: { key, cert } }) {
    const listener = await listenHttp2({ host, tls: { key, cert }, maxConcurrentStreams: MAX_STREAMS })
    return String(serve(Bench, handlers, listener).addresses[0])
  },
  async connect(address, { tls: { ca } }) {
    const connector = connectHttp2(address, { tls: { ca }, maxConcurrentStreams: MAX_STREAMS })
    return adapt(createClient(Bench, connector), () => connector.close())
  },
}
export default peer
