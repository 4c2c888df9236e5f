import { describeLimits } from '@qrpc/conformance'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { makeCertificates } from './certificates.ts'

const { ca, server } = await makeCertificates()

describeLimits('http2', { listen: listenHttp2, connect: connectHttp2 })
describeLimits('http2 over TLS', {
  listen: (limits) => listenHttp2({ ...limits, tls: server }),
  connect: (address, limits) => connectHttp2(address, { ...limits, tls: { ca } }),
})
