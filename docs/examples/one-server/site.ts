import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import { serve } from '@qrpc/core'
import { isQrpcRequest, listenHttp2 } from '@qrpc/transport-http2'
import { type FastifyHttp2SecureOptions, fastify } from 'fastify'
import { Visits } from './contract.ts'
import { Counts, visitsHandlers } from './visits.ts'

const GRACE_MS = 20_000

/** The options of a server that is made elsewhere. */
type Options = FastifyHttp2SecureOptions<Http2SecureServer>

/** A site whose pages and calls are served at one port. */
export async function startSite({ tls, port = 0 }: { tls: { key: string; cert: string }; port?: number }) {
  const counts = new Counts()
  const sessions = new Set<ServerHttp2Session>()
  const serverFactory: Options['serverFactory'] = (handler) => {
    const server = createSecureServer(
      // The windows of qrpc's own servers; Node.js has 64 KiB.
      { ...tls, allowHTTP1: true, settings: { initialWindowSize: 4 * 1024 ** 2, maxConcurrentStreams: 1000 } },
      (request, response) => {
        if (!isQrpcRequest(request.headers)) handler(request, response)
      },
    )
    return server.on('session', (session) => {
      session.setLocalWindowSize(16 * 1024 ** 2)
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
    })
  }
  const options: Options = { http2: true, https: tls, serverFactory, return503OnClosing: false }
  const app = fastify(options)

  app.get<{ Params: { name: string } }>('/visits/:name', (request) => {
    const { name } = request.params
    counts.add(name)
    return { name, count: counts.of(name), httpVersion: request.raw.httpVersion }
  })
  // A page that takes its time: it comes when there are so many visits.
  app.get<{ Params: { name: string; count: string } }>('/visits/:name/after/:count', async (request) => {
    const { name, count } = request.params
    await counts.reached(name, Number(count))
    return { name, count: counts.of(name) }
  })

  await app.listen({ port, host: '127.0.0.1' })
  const calls = serve(Visits, visitsHandlers(counts), await listenHttp2({ server: app.server }))
  return {
    address: calls.addresses[0] ?? '',
    counts,
    /** Takes no more calls, then no more pages, and lets those that are under way come to their ends. */
    async close(): Promise<void> {
      await calls.close({ graceMs: GRACE_MS })
      for (const session of sessions) session.close()
      await app.close()
    },
    [Symbol.asyncDispose](): Promise<void> {
      return this.close()
    },
  }
}
