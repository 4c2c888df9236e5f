import type { Peer } from '../peer.ts'
import { handWrittenQueue } from './queue.ts'

const peer: Peer = {
  cannot: {
    download: 'a queue of calls has no streams',
    upload: 'a queue of calls has no streams',
    converse: 'a queue of calls has no streams',
  },
  async connect() {
    return { echo: handWrittenQueue(async (request: Uint8Array) => request), close: () => {} }
  },
}
export default peer
