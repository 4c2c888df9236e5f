import { quicPeer } from './quic.ts'

export default quicPeer(false)
