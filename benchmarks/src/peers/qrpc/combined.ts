import { combineConnectors } from '@qrpc/combined'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { MAX_STREAMS, type Peer } from '../peer.ts'
import { adapt, Bench } from './contract.ts'
import http2 from './http2.ts'

/** A combined connector in front of the server that {@link http2} is measured with. */
const peer: Peer = {
  ...http2,
  async connect(address) {
    const connector = combineConnectors([connectHttp2(address, { maxConcurrentStreams: MAX_STREAMS })])
    return adapt(createClient(Bench, connector), () => connector.close())
  },
}
export default peer
