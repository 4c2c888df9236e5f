import type { Peer } from '../peer.ts'
import { connectRaw } from './client.ts'
import { serveRaw } from './server.ts'

const peer: Peer = { serve: serveRaw, connect: connectRaw }
export default peer
