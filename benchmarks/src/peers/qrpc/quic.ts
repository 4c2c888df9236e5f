import { createClient, serve } from '@qrpc/core'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { adapt, Bench, handlers } from './contract.ts'

/** With unary calls on a lane, or each on a stream of its own. */
export function quicPeer(lanes: boolean): Peer {
  return {
    async serve({ host, tls: { key, cert }, maxDatagramSize }) {
      const listener = await listenQuic({
        host,
        tls: { key, cert },
        maxConcurrentStreams: MAX_STREAMS,
        lanes,
        maxDatagramSize,
      })
      return String(serve(Bench, handlers, listener).addresses[0])
    },
    async connect(address, { tls: { ca }, maxDatagramSize }) {
      const connector = connectQuic(address, { tls: { ca }, maxConcurrentStreams: MAX_STREAMS, lanes, maxDatagramSize })
      return adapt(createClient(Bench, connector), () => connector.close())
    },
  }
}

export default quicPeer(true)
