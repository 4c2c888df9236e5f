import {
  bidiStreaming,
  createClient,
  type Handlers,
  type Listener,
  type Server,
  serve,
  service,
  unary,
} from '@qrpc/core'
import { connectQuic, listenQuic, type QuicConnectOptions, type QuicListenOptions } from '@qrpc/transport-quic'

/** A small service of every shape that the tests of this package need. */
export const Echo = service('echo', {
  echo: unary<unknown, unknown>(),
  /** Answers when it is cancelled, or never. */
  wait: unary<void, void>(),
  talk: bidiStreaming<void, unknown, unknown>(),
})

/** What {@link Echo} does unless a test says otherwise. */
export const handlers: Handlers<typeof Echo> = {
  echo: (message) => message,
  wait: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  talk: (_, updates) => updates,
}

/** Serves {@link Echo}. */
export function serveEcho(listener: Listener, changed: Partial<Handlers<typeof Echo>> = {}): Server {
  return serve(Echo, { ...handlers, ...changed }, listener)
}

/** A server and a client of {@link Echo} that close together. */
export async function connectEcho(
  listening: QuicListenOptions,
  connecting: QuicConnectOptions = {},
  changed: Partial<Handlers<typeof Echo>> = {},
) {
  const listener = await listenQuic(listening)
  const server = serveEcho(listener, changed)
  const address = listener.addresses[0] as string
  const connector = connectQuic(address, connecting)
  return {
    listener,
    server,
    address,
    connector,
    client: createClient(Echo, connector),
    async [Symbol.asyncDispose]() {
      await connector.close()
      await server.close({ graceMs: 0 })
    },
  }
}
