import { relayListener } from '@qrpc/conformance/relay'
import { listenQuic, type QuicListenOptions } from '@qrpc/transport-quic'

/** What a test tells the process of its listeners. */
export type ListenerSettings = Omit<QuicListenOptions, 'endpoint'>

relayListener<ListenerSettings>(({ addresses, maxConcurrentStreams, settings }) => {
  const [before] = addresses ?? []
  const port = before === undefined ? undefined : Number(before.slice(before.lastIndexOf(':') + 1))
  return listenQuic({ port, ...settings, maxConcurrentStreams })
})
