import { createBirpc } from 'birpc'
import type { Peer } from '../peer.ts'

const functions = { echo: (request: Uint8Array) => request }

/** Two ends that hand each other their messages, without a channel between them. */
const peer: Peer = {
  cannot: { download: 'no streams', upload: 'no streams', converse: 'no streams' },
  async connect() {
    let toServer: (data: unknown) => void = () => {}
    let toClient: (data: unknown) => void = () => {}
    const server = createBirpc<object, typeof functions>(functions, {
      post: (data) => toClient(data),
      on: (listener) => {
        toServer = listener
      },
    })
    const client = createBirpc<typeof functions>(
      {},
      {
        post: (data) => toServer(data),
        on: (listener) => {
          toClient = listener
        },
      },
    )
    return {
      echo: (request) => client.echo(request),
      close: () => {
        client.$close()
        server.$close()
      },
    }
  },
}
export default peer
