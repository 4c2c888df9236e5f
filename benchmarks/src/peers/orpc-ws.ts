import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import { os, type RouterClient, type } from '@orpc/server'
import { RPCHandler } from '@orpc/server/ws'
import { message, type Peer } from './peer.ts'
import { listenWebSocket, openWebSocket } from './websocket.ts'

// Its messages are JSON with a few types more, none of them bytes: they travel as base64.
const router = {
  echo: os.input(type<string>()).handler(({ input }) => Buffer.from(input, 'base64').toString('base64')),
  download: os.input(type<{ count: number; size: number }>()).handler(async function* ({ input: { count, size } }) {
    const body = Buffer.from(message(size))
    for (let n = 0; n < count; n++) yield body.toString('base64')
  }),
}

// Its server decodes a call in more turns than an update, and drops updates of calls that it does not know yet.
const LOSES = 'drops updates that arrive right behind the call'

const peer: Peer = {
  cannot: { upload: LOSES, converse: LOSES },
  async serve({ host }) {
    const handler = new RPCHandler(router)
    const { server, address } = await listenWebSocket(host)
    server.on('connection', (socket) => void handler.upgrade(socket, { context: {} }))
    return address
  },
  async connect(address) {
    const websocket = await openWebSocket(address)
    const client: RouterClient<typeof router> = createORPCClient(
      new RPCLink({ websocket: websocket as unknown as WebSocket }),
    )
    return {
      echo: async (request) => Buffer.from(await client.echo(Buffer.from(request).toString('base64')), 'base64'),
      async download(count, size) {
        let bytes = 0
        for await (const body of await client.download({ count, size })) bytes += Buffer.from(body, 'base64').length
        return bytes
      },
      close: () => websocket.close(),
    }
  },
}
export default peer
