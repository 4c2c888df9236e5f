import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { WebSocket } from 'ws'
import { message, type Peer } from './peer.ts'
import { listenWebSocket } from './websocket.ts'

const t = initTRPC.create()

// JSON carries no bytes: they travel as base64.
const router = t.router({
  echo: t.procedure
    .input((value: unknown) => value as string)
    .mutation(({ input }) => Buffer.from(input, 'base64').toString('base64')),
  download: t.procedure
    .input((value: unknown) => value as { count: number; size: number })
    .subscription(async function* ({ input: { count, size } }) {
      const body = Buffer.from(message(size))
      for (let n = 0; n < count; n++) yield body.toString('base64')
    }),
})

const peer: Peer = {
  cannot: { upload: 'no streams from the client', converse: 'no streams from the client' },
  async serve({ host }) {
    const { server, address } = await listenWebSocket(host)
    applyWSSHandler({ wss: server, router })
    return address
  },
  async connect(url) {
    const socket = createWSClient({ url, WebSocket: WebSocket as unknown as typeof globalThis.WebSocket })
    const client = createTRPCClient<typeof router>({ links: [wsLink({ client: socket })] })
    return {
      async echo(request) {
        return Buffer.from(await client.echo.mutate(Buffer.from(request).toString('base64')), 'base64')
      },
      download: (count, size) =>
        new Promise((resolve, reject) => {
          let bytes = 0
          client.download.subscribe(
            { count, size },
            {
              onData: (body) => {
                bytes += Buffer.from(body, 'base64').length
              },
              onComplete: () => resolve(bytes),
              onError: reject,
            },
          )
        }),
      close: () => socket.close(),
    }
  },
}
export default peer
