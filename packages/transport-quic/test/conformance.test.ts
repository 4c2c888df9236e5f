import { describeTransport, type SetupOptions, type TestBed } from '@qrpc/conformance'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificates } from './certificates.ts'

// Windows of a size that a case can fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }

const { ca, server } = await makeCertificates()

describeTransport('quic', {
  async setup({ maxConcurrentStreams }: SetupOptions): Promise<TestBed> {
    const listening = { ...WINDOWS, tls: server, maxConcurrentStreams }
    const listener = await listenQuic(listening)
    const [address] = listener.addresses as [string]
    return {
      connector: connectQuic(address, { ...WINDOWS, tls: { ca } }),
      listener,
      restart: () => listenQuic({ ...listening, port: Number(address.slice(address.lastIndexOf(':') + 1)) }),
    }
  },
  capabilities: { window: 200_000, guaranteedWindow: 5_000, restart: true, maxConcurrentStreams: true },
})
