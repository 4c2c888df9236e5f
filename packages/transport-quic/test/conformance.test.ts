import {
  describeTransport,
  inTwoProcesses,
  type SetupOptions,
  type TestBed,
  type TransportUnderTest,
} from '@qrpc/conformance'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificates } from './certificates.ts'
import type { ListenerSettings } from './listener-process.ts'

// Windows of a size that a case can fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }

const capabilities = { window: 200_000, guaranteedWindow: 5_000, restart: true, maxConcurrentStreams: true }

const { ca, server } = await makeCertificates()
const listening = { ...WINDOWS, tls: server }

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

function inOneProcess(server: { lanes?: boolean } = {}, client: { lanes?: boolean } = {}): TransportUnderTest {
  return {
    async setup({ maxConcurrentStreams }: SetupOptions): Promise<TestBed> {
      const listener = await listenQuic({ ...listening, ...server, maxConcurrentStreams })
      const [address] = listener.addresses as [string]
      return {
        connector: connectQuic(address, { ...WINDOWS, ...client, tls: { ca } }),
        listener,
        restart: () => listenQuic({ ...listening, ...server, maxConcurrentStreams, port: portOf(address) }),
      }
    },
    capabilities: { ...capabilities, serializes: true, limitsMessages: true },
  }
}

describeTransport('quic', inOneProcess())
describeTransport('quic with a stream for each call, as the client wants it', inOneProcess({}, { lanes: false }))
describeTransport('quic with a stream for each call, as the server wants it', inOneProcess({ lanes: false }))

describeTransport('quic in two processes', {
  ...inTwoProcesses({
    module: new URL('./listener-process.ts', import.meta.url),
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    settings: listening satisfies ListenerSettings,
    // A peer that has died is noticed when it does not answer.
    connect: ([address]) => connectQuic(address as string, { ...WINDOWS, tls: { ca }, idleTimeoutMs: 2000 }),
  }),
  capabilities: { ...capabilities, kill: true },
})
