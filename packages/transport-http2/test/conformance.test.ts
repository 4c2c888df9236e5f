import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeTransport, inTwoProcesses, type SetupOptions, type TestBed } from '@qrpc/conformance'
import { connectHttp2, type Http2ConnectOptions, type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { afterAll } from 'vitest'
import { makeCertificates } from './certificates.ts'
import type { ListenerSettings } from './listener-process.ts'

// Windows of a size that a case can fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }

const capabilities = { window: 200_000, guaranteedWindow: 5_000, restart: true, maxConcurrentStreams: true }
const oneProcess = { ...capabilities, serializes: true, limitsMessages: true }

function twoProcesses(listening: ListenerSettings, connecting: Http2ConnectOptions = {}) {
  return {
    ...inTwoProcesses({
      module: new URL('./listener-process.ts', import.meta.url),
      execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
      settings: { ...WINDOWS, ...listening } satisfies ListenerSettings,
      connect: ([address]) => connectHttp2(address as string, { ...WINDOWS, ...connecting }),
    }),
    capabilities: { ...capabilities, kill: true },
  }
}

async function setup(
  { maxConcurrentStreams }: SetupOptions,
  listening: Http2ListenOptions,
  connecting: Http2ConnectOptions = {},
): Promise<TestBed> {
  const listener = await listenHttp2({ ...WINDOWS, ...listening, maxConcurrentStreams })
  const [address] = listener.addresses as [string]
  const port = listening.path === undefined ? Number(new URL(address).port) : undefined
  return {
    connector: connectHttp2(address, { ...WINDOWS, ...connecting }),
    listener,
    restart: () => listenHttp2({ ...WINDOWS, ...listening, port, maxConcurrentStreams }),
  }
}

describeTransport('http2 in the clear', { setup: (options) => setup(options, {}), capabilities: oneProcess })
describeTransport('http2 with a stream for each call, as the client wants it', {
  setup: (options) => setup(options, {}, { lanes: false }),
  capabilities: oneProcess,
})
describeTransport('http2 with a stream for each call, as the server wants it', {
  setup: (options) => setup(options, { lanes: false }),
  capabilities: oneProcess,
})
describeTransport('http2 in the clear, in two processes', twoProcesses({}))

const { ca, server } = await makeCertificates()
describeTransport('http2 over TLS', {
  setup: (options) => setup(options, { tls: server }, { tls: { ca } }),
  capabilities: oneProcess,
})
describeTransport('http2 over TLS, in two processes', twoProcesses({ tls: server }, { tls: { ca } }))

const directory = mkdtempSync(join(tmpdir(), 'qrpc-'))
afterAll(() => rmSync(directory, { recursive: true }))
let sockets = 0
describeTransport('http2 on a Unix socket', {
  setup: (options) => setup(options, { path: join(directory, `${++sockets}.sock`) }),
  capabilities: oneProcess,
})
describeTransport('http2 on a Unix socket, in two processes', {
  ...twoProcesses({ path: join(directory, 'process.sock') }),
  // A process that is killed leaves the file of its socket behind.
  capabilities,
})
