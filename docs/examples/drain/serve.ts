import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type Handlers, serve } from '@qrpc/core'
import { ServerHealth } from '@qrpc/health'
import { listenHttp2 } from '@qrpc/transport-http2'
import { Node } from './contract.ts'

// Less than the supervisor waits before it kills: 30 s in Kubernetes, 90 s in systemd.
const GRACE_MS = 20_000

const reports: Handlers<typeof Node>['reports'] = {
  async *render({ pages }, { signal }) {
    for (let page = 1; page <= pages; page++) {
      await delay(20, undefined, { signal })
      yield `page ${page} of ${pages}`
    }
  },
  count: async (text) => text.split(' ').length,
}

const health = new ServerHealth()
const listener = await listenHttp2({ port: Number(process.env.PORT ?? 0) })
const server = health.drainWith(serve(Node, { health, reports }, listener))
console.log(`serving at ${server.addresses[0]}`)

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
console.log('draining')
// `not_serving` for those who watch; no new connections, and clients go elsewhere; what runs goes on to its end.
await server.close({ graceMs: GRACE_MS })
console.log('drained')
