import { type Listener, serve } from '@qrpc/core'
import { listenHttp2 } from '@qrpc/transport-http2'
import { listenQuic } from '@qrpc/transport-quic'
import { Bench, LARGE, SMALL } from './contract.ts'

const small = new Uint8Array(SMALL).fill(1)
const large = new Uint8Array(LARGE).fill(1)

function* repeat(message: Uint8Array, count: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield message
}

const { transport, tls } = JSON.parse(process.argv[2] ?? '{}') as {
  transport?: 'quic'
  tls?: { key: string; cert: string }
}

function listen(): Promise<Listener> {
  return transport === 'quic' ? listenQuic({ tls: tls ?? {} }) : listenHttp2({ tls })
}

const server = serve(
  Bench,
  {
    echo: async (message) => message,
    small: (count) => repeat(small, count),
    download: (count) => repeat(large, count),
    upload: async (_, updates) => {
      let bytes = 0
      for (let update = await updates.receive(); update !== undefined; update = await updates.receive()) {
        bytes += update.length
      }
      return bytes
    },
    pingPong: (_, updates) => updates,
  },
  await listen(),
)
process.send?.(server.addresses[0])
process.on('disconnect', () => process.exit())
