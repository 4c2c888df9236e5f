import { describeTransport, inTwoProcesses, type SetupOptions, type TestBed } from '@qrpc/conformance'
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

describeTransport('quic', {
  async setup({ maxConcurrentStreams }: SetupOptions): Promise<TestBed> {
    const listener = await listenQuic({ ...listening, maxConcurrentStreams })
    const [address] = listener.addresses as [string]
    return {
      connector: connectQuic(address, { ...WINDOWS, tls: { ca } }),
      listener,
      restart: () => listenQuic({ ...listening, maxConcurrentStreams, port: portOf(address) }),
    }
  },
  capabilities: { ...capabilities, serializes: true, limitsMessages: true },
})

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
