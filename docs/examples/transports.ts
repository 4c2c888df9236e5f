import type { Connector, Listener } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'

/** Has a server listen, and gives what makes a connection to it for each client, as clients that are apart have. */
export type Open = (serveOn: (listener: Listener) => void) => Promise<() => Connector>

// So that a slow reader is soon noticed.
const SMALL = { streamWindow: 65_535, connectionWindow: 65_535 }

const overHttp2: Open = async (serveOn) => {
  const listener = await listenHttp2()
  serveOn(listener)
  return () => connectHttp2(listener.addresses[0] ?? '', SMALL)
}

const overMemory: Open = async (serveOn) => () => {
  const { connector, listener } = createMemoryTransport()
  serveOn(listener)
  return connector
}

/** What tests of examples run over, for `test.each`. */
export const TRANSPORTS = [
  { transport: 'HTTP/2', open: overHttp2 },
  { transport: 'memory', open: overMemory },
]
