import { http2Peer } from './http2.ts'

export default http2Peer(false)
