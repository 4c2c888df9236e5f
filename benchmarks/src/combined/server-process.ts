import { serve } from '@qrpc/core'
import { listenHttp2 } from '@qrpc/transport-http2'
import { handlers, Work } from './contract.ts'

const server = serve(Work, handlers, await listenHttp2())
process.send?.(server.addresses[0])
process.on('disconnect', () => process.exit())
