import { bidiStreaming, type Client, clientStreaming, type Handlers, serverStreaming, service, unary } from '@qrpc/core'
import { message, type PeerClient } from '../peer.ts'

/** How much a download is to bring. */
interface Order {
  readonly count: number
  readonly size: number
}

export const Bench = service('bench', {
  echo: unary<Uint8Array, Uint8Array>(),
  download: serverStreaming<Order, Uint8Array>(),
  upload: clientStreaming<void, Uint8Array, number>(),
  converse: bidiStreaming<void, Uint8Array, Uint8Array>(),
})

export const handlers: Handlers<typeof Bench> = {
  echo: async (request) => request,
  *download({ count, size }) {
    const response = message(size)
    for (let n = 0; n < count; n++) yield response
  },
  async upload(_, updates) {
    let bytes = 0
    for await (const update of updates) bytes += update.length
    return bytes
  },
  converse: (_, updates) => updates,
}

/** The client of the suite in front of qrpc's. */
export function adapt(client: Client<typeof Bench>, close: () => unknown): PeerClient {
  return {
    echo: (request) => client.echo(request),
    async download(count, size) {
      let bytes = 0
      for await (const response of client.download({ count, size })) bytes += response.length
      return bytes
    },
    async upload(count, update) {
      const call = client.upload()
      for (let n = 0; n < count; n++) {
        const wait = call.send(update)
        if (wait !== undefined) await wait
      }
      return call.finish()
    },
    converse: () => client.converse(),
    close,
  }
}
