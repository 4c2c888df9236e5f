import type { Connector, Listener } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'

/** A transport that the demo runs over. */
export interface DemoTransport {
  readonly name: string
  /** Both ends. They are closed by the client and the server that get them. */
  start(): Promise<{ connector: Connector; listener: Listener }>
}

/** Each is a row of the demo's table. */
export const transports: readonly DemoTransport[] = [{ name: 'mem', start: async () => createMemoryTransport() }]
