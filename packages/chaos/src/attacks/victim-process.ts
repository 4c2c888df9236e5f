import { serve } from '@qrpc/core'
import { listenHttp2 } from '@qrpc/transport-http2'
import { listenQuic } from '@qrpc/transport-quic'
import type { Certificate } from '../certificate.ts'
import { Chaos } from '../contract.ts'
import { chaosHandlers } from '../server/handlers.ts'
import type { Journal } from '../server/journal.ts'

/** What the process of a server is told. */
export interface VictimSettings {
  readonly transport: 'http2' | 'quic'
  readonly certificate: Certificate
}

const { transport, certificate } = JSON.parse(process.argv[2] as string) as VictimSettings
const nobody: Journal = { started() {}, ended() {}, wrong() {} }
process.on('disconnect', () => process.exit())
// With the limits as they are for everybody.
const listener = transport === 'quic' ? await listenQuic({ tls: certificate }) : await listenHttp2()
const server = serve(Chaos, chaosHandlers(nobody), listener, { onError() {} })
process.send?.(server.addresses[0])
