import { relayListener } from '@qrpc/conformance/relay'
import { type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'

/** What a test tells the process of its listeners. */
export type ListenerSettings = Omit<Http2ListenOptions, 'server'>

relayListener<ListenerSettings>(({ addresses, maxConcurrentStreams, settings }) => {
  const [before] = addresses ?? []
  const port = before?.startsWith('http') ? Number(new URL(before).port) : undefined
  return listenHttp2({ port, ...settings, maxConcurrentStreams })
})
