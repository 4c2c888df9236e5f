import { message, type Peer } from '../peer.ts'

async function echo(request: Uint8Array): Promise<Uint8Array> {
  return request
}

async function* repeat(body: Uint8Array, count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield body
}

async function total(messages: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const { length } of messages) bytes += length
  return bytes
}

/** What the language has: an async function, and an async generator. */
const peer: Peer = {
  cannot: { converse: 'a call has no conversation' },
  async connect() {
    return {
      echo,
      download: (count, size) => total(repeat(message(size), count)),
      upload: (count, body) => total(repeat(body, count)),
      close: () => {},
    }
  },
}
export default peer
