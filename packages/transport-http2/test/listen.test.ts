import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createClient, RpcError } from '@qrpc/core'
import { connectHttp2, isQrpcRequest, listenHttp2 } from '@qrpc/transport-http2'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

/** The status and body of a GET. */
async function get(address: string, path: string): Promise<[status: number | undefined, body: string]> {
  const session = connect(address)
  const stream = session.request({ ':path': path })
  const [headers] = (await once(stream, 'response')) as [{ ':status'?: number }]
  const body = await text(stream)
  session.close()
  await once(session, 'close')
  return [headers[':status'], body]
}

describe('listenHttp2', () => {
  test('listens at the loopback address and a free port unless told otherwise', async () => {
    await using listener = await listenHttp2()
    expect(listener.addresses).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)])
  })

  test('an address that is taken is unavailable, and the text names it', async () => {
    await using listener = await listenHttp2()
    const port = Number(new URL(listener.addresses[0] as string).port)
    const error = await expectStatus(listenHttp2({ port }), 'unavailable', String(port))
    expect(error.cause).toMatchObject({ code: 'EADDRINUSE' })
  })

  test.each([
    { maxConcurrentStreams: 0 },
    { maxConnections: 0 },
    { maxResets: -1 },
    { idleTimeoutMs: 0 },
    { streamWindow: 0 },
  ])('refuses the options %o, and names what is wrong', async (options) => {
    await expectStatus(listenHttp2(options), 'invalid_argument', Object.keys(options)[0])
  })

  test('serves on a Unix socket, and takes the file away when it closes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'qrpc-'))
    try {
      await using echo = await connectEcho({ path: join(directory, 'echo.sock') })
      expect(echo.address).toBe(`unix:${join(directory, 'echo.sock')}`)
      expect(await echo.client.echo('over a file')).toBe('over a file')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('connections beyond maxConnections are closed, those before them go on', async () => {
    await using echo = await connectEcho({ maxConnections: 1 })
    await echo.client.echo(1)
    await using second = connectHttp2(echo.address)
    await expectStatus(createClient(Echo, second).echo(2), 'unavailable')
    expect(await echo.client.echo(3)).toBe(3)
  })

  test('a channel opened by hand may name any method, which is its path', async () => {
    await using listener = await listenHttp2()
    const paths: unknown[] = []
    listener.server.on('stream', (_, headers) => paths.push(headers[':path']))
    await using connector = connectHttp2(listener.addresses[0] as string)
    const method = 'mé thod/%?#'
    const channel = await connector.open({ method })
    await channel.send({ method, metadata: undefined, timeout: undefined, message: 1 })
    const accepted = await listener.accept()
    expect(await accepted?.receive()).toMatchObject({ method, message: 1 })
    // The first one is the lane.
    expect(paths).toEqual(['/?lane', '/m%C3%A9%20thod/%25%3F%23'])
    channel.cancel(new RpcError('cancelled'))
  })

  describe('on a server with other routes', () => {
    async function mounted() {
      const http: Http2Server = createServer()
      http.on('request', (request, response) => {
        if (!isQrpcRequest(request.headers)) response.end('another route')
      })
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
      const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
      return {
        http,
        address,
        async [Symbol.asyncDispose]() {
          http.close()
          await once(http, 'close')
        },
      }
    }

    test('takes its own requests and leaves the others alone', async () => {
      await using site = await mounted()
      await using server = serveEcho(await listenHttp2({ server: site.http }))
      expect(server.addresses).toEqual([site.address])
      await using connector = connectHttp2(site.address)
      const client = createClient(Echo, connector)
      expect(await client.echo({ a: 1 })).toEqual({ a: 1 })
      let counted = 0
      for await (const _ of client.count(100)) counted++
      expect(counted).toBe(100)
      expect(await get(site.address, '/')).toEqual([200, 'another route'])
    })

    test('closes without closing the server', async () => {
      await using site = await mounted()
      const server = serveEcho(await listenHttp2({ server: site.http }))
      await using connector = connectHttp2(site.address)
      const client = createClient(Echo, connector)
      const running = expectStatus(client.wait(), 'unavailable')
      await client.echo(1)
      await server.close({ graceMs: 0 })
      await running
      expect(await get(site.address, '/')).toEqual([200, 'another route'])
      await using _ = serveEcho(await listenHttp2({ server: site.http }))
      expect(await client.echo(2)).toBe(2)
    })
  })
})
