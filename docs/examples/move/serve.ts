// A process that serves: at a Unix socket for its parent, or over TLS for other machines.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { serve } from '@qrpc/core'
import { listenHttp2 } from '@qrpc/transport-http2'
import { Search } from './contract.ts'
import { searchHandlers } from './server.ts'

const { SOCKET, KEY = '', CERT = '', HOST = '127.0.0.1' } = process.env
const listener =
  SOCKET === undefined
    ? await listenHttp2({ host: HOST, tls: { key: await readFile(KEY), cert: await readFile(CERT) } })
    : await listenHttp2({ path: SOCKET })
await using server = serve(Search, searchHandlers(), listener)
console.log(server.addresses[0])

// Its input ends with its parent, however that ends.
await once(process.stdin.resume(), 'end')
