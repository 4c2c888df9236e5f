import { describeTransport, type SetupOptions, type TestBed } from '@qrpc/conformance'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificates } from './certificates.ts'
import { startNetwork } from './network.ts'

// Windows of a size that a case can fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }

const capabilities = { window: 200_000, guaranteedWindow: 5_000, restart: true, maxConcurrentStreams: true }

const { ca, server } = await makeCertificates()
const listening = { ...WINDOWS, tls: server }

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

describeTransport(
  'quic over a network that delays, loses, reorders and duplicates',
  {
    async setup({ maxConcurrentStreams }: SetupOptions): Promise<TestBed> {
      const listener = await listenQuic({ ...listening, maxConcurrentStreams, maxDatagramSize: 1350 })
      const [address] = listener.addresses as [string]
      const network = await startNetwork(portOf(address), {
        delayMs: 8,
        jitterMs: 4,
        loss: 0.02,
        duplicates: 0.01,
        seed: 1,
      })
      return {
        connector: connectQuic(`quic://127.0.0.1:${network.port}`, {
          ...WINDOWS,
          tls: { ca },
          maxDatagramSize: 1350,
          connectTimeoutMs: 1000,
        }),
        listener,
        restart: () => listenQuic({ ...listening, maxConcurrentStreams, maxDatagramSize: 1350, port: portOf(address) }),
        teardown: () => network.close(),
      }
    },
    capabilities,
  },
  { timeout: 100_000 },
)
