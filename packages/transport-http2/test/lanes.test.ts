import { once } from 'node:events'
import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createClient } from '@qrpc/core'
import { connectHttp2, type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

const LANE_PATH = '/?lane'

/** An echo whose streams are written down by their paths. */
async function withPaths(listening: Http2ListenOptions = {}, connecting: { lanes?: boolean } = {}) {
  const echo = await connectEcho(listening, connecting)
  const paths: unknown[] = []
  const lanes: ServerHttp2Stream[] = []
  echo.listener.server.on('stream', (stream, headers) => {
    paths.push(headers[':path'])
    if (headers[':path'] === LANE_PATH) lanes.push(stream)
  })
  return { ...echo, paths, lanes }
}

test('unary calls share a stream, streaming calls have their own', async () => {
  await using echo = await withPaths()
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  expect(await Promise.all(numbers.map((n) => echo.client.echo(n)))).toEqual(numbers)
  const counted: number[] = []
  for await (const n of echo.client.count(3)) counted.push(n)
  expect(counted).toEqual([0, 1, 2])
  expect(echo.paths).toEqual([LANE_PATH, '/echo/count'])
})

test.each([
  ['the client', {}, { lanes: false }],
  ['the server', { lanes: false }, {}],
])('%s may want a stream for each call', async (_, listening, connecting) => {
  await using echo = await withPaths(listening, connecting)
  for (let n = 0; n < 3; n++) expect(await echo.client.echo(n)).toBe(n)
  expect(echo.paths).toEqual(['/echo/echo', '/echo/echo', '/echo/echo'])
})

test('a server with other routes takes lanes, too', async () => {
  const http = createServer()
  const paths: unknown[] = []
  http.on('stream', (_, headers) => paths.push(headers[':path']))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const server = serveEcho(await listenHttp2({ server: http }))
  const connector = connectHttp2(`http://127.0.0.1:${(http.address() as AddressInfo).port}`)
  const client = createClient(Echo, connector)
  // The settings that tell of lanes may come behind the first call.
  while (!paths.includes(LANE_PATH)) expect(await client.echo('early')).toBe('early')
  const { length } = paths
  for (let n = 0; n < 5; n++) expect(await client.echo(n)).toBe(n)
  expect(paths).toHaveLength(length)
  await connector.close()
  await server.close({ graceMs: 0 })
  http.close()
  await once(http, 'close')
})

test('10,000 calls at once against a limit of 100 wait in line, and all are answered', async () => {
  let running = 0
  let most = 0
  await using echo = await connectEcho(
    { maxConcurrentStreams: 100 },
    {},
    {
      async echo(n) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        return n
      },
    },
  )
  const numbers = Array.from({ length: 10_000 }, (_, n) => n)
  expect(await Promise.all(numbers.map((n) => echo.client.echo(n)))).toEqual(numbers)
  expect(most).toBe(100)
})

test('a lane that is lost takes its calls along; later ones have a stream each, on the same connection', async () => {
  await using echo = await withPaths()
  expect(await echo.client.echo('before')).toBe('before')
  const running = echo.client.wait()
  expect(await echo.client.echo('sent')).toBe('sent')
  echo.lanes[0]?.close(constants.NGHTTP2_INTERNAL_ERROR)
  await expectStatus(running, 'unavailable')
  expect(await echo.client.echo('after')).toBe('after')
  expect(echo.paths).toEqual([LANE_PATH, '/echo/echo'])
  expect(echo.connector.state).toBe('ready')
})
