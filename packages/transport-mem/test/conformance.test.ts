import { describeTransport } from '@qrpc/conformance'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { createCborCodec } from '@qrpc/wire'

describeTransport('mem', {
  setup(options) {
    const { connector, listener, listen } = createMemoryTransport(options)
    return { connector, listener, restart: listen }
  },
  capabilities: { window: 64, restart: true, maxConcurrentStreams: true },
})

describeTransport('mem, every message through CBOR,', {
  setup(options) {
    const { connector, listener, listen } = createMemoryTransport({ ...options, strict: createCborCodec() })
    return { connector, listener, restart: listen }
  },
  capabilities: { window: 64, restart: true, maxConcurrentStreams: true, serializes: true, limitsMessages: true },
})
