import { MessageChannel } from 'node:worker_threads'
import { expose, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { Peer } from '../peer.ts'

const api = { echo: (request: Uint8Array) => request }

const peer: Peer = {
  cannot: {
    download: 'no streams, only callbacks',
    upload: 'no streams, only callbacks',
    converse: 'no streams, only callbacks',
  },
  async connect() {
    const { port1, port2 } = new MessageChannel()
    expose(api, nodeEndpoint(port2))
    const remote = wrap<typeof api>(nodeEndpoint(port1))
    return { echo: (request) => remote.echo(request), close: () => port1.close() }
  },
}
export default peer
