import { http2TlsPeer } from './http2-tls.ts'

export default http2TlsPeer(false)
