import { describeLimits } from '@qrpc/conformance'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificates } from './certificates.ts'

const { ca, server } = await makeCertificates()

describeLimits('quic', {
  listen: (limits) => listenQuic({ ...limits, tls: server }),
  connect: (address, limits) => connectQuic(address, { ...limits, tls: { ca } }),
})
