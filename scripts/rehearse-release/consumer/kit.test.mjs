import { describeTransport } from '@qrpc/conformance'
import { createMemoryTransport } from '@qrpc/transport-mem'

describeTransport('mem, as installed', {
  setup(options) {
    const { connector, listener, listen } = createMemoryTransport(options)
    return { connector, listener, restart: listen }
  },
  capabilities: { window: 64, restart: true, maxConcurrentStreams: true },
})
