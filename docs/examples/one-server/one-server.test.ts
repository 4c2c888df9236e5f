import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { get } from 'node:https'
import { json } from 'node:stream/consumers'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { beforeAll, expect, test } from 'vitest'
import { makeCertificate } from '../demo/certificate.ts'
import { Visits } from './contract.ts'
import { startSite } from './site.ts'

let tls: { key: string; cert: string }

beforeAll(async () => {
  tls = await makeCertificate()
})

function browse(address: string): ClientHttp2Session {
  return connect(address, { ca: tls.cert })
}

function page(browser: ClientHttp2Session, path: string): Promise<unknown> {
  return json(browser.request({ ':path': path }))
}

async function pageByHttp1(address: string, path: string): Promise<unknown> {
  const request = get(address + path, { ca: tls.cert, agent: false })
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  return json(response)
}

test('pages over HTTP/2 and HTTP/1.1, and calls of all patterns, at one port', async () => {
  await using site = await startSite({ tls })
  await using connector = connectHttp2(site.address, { tls: { ca: tls.cert } })
  const client = createClient(Visits, connector)
  const browser = browse(site.address)

  expect(await page(browser, '/visits/ada')).toEqual({ name: 'ada', count: 1, httpVersion: '2.0' })
  expect(await pageByHttp1(site.address, '/visits/ada')).toEqual({ name: 'ada', count: 2, httpVersion: '1.1' })
  expect(await page(browser, '/nowhere')).toMatchObject({ statusCode: 404 })

  expect(await client.count('ada')).toBe(2)
  const watch = client.watch('ada')
  expect(await watch.receive()).toBe(2)
  await client.visited('ada')
  expect(await watch.receive()).toBe(3)
  await page(browser, '/visits/ada')
  expect(await watch.receive()).toBe(4)
  watch.cancel()
  expect(await client.visitedAll(undefined, ['ada', 'bob', 'bob'])).toBe(3)
  const counts: number[] = []
  for await (const count of client.countEach(undefined, ['ada', 'bob', 'eve'])) counts.push(count)
  expect(counts).toEqual([5, 2, 0])
})

test('closing waits for the page and the call that are under way, and takes no others', async () => {
  const site = await startSite({ tls })
  await using connector = connectHttp2(site.address, { tls: { ca: tls.cert } })
  const client = createClient(Visits, connector)
  const browser = browse(site.address)
  expect(await page(browser, '/visits/ada')).toMatchObject({ count: 1 })
  const late = page(browser, '/visits/ada/after/3')
  const call = client.countEach()
  await call.send('ada')
  expect(await call.receive()).toBe(1)

  const closing = site.close()
  await call.send('ada')
  expect(await call.receive()).toBe(1)
  call.end()
  expect(await call.receive()).toBeUndefined()
  const left = once(browser, 'goaway')
  await left
  // The page has not come yet, and nobody can ask for another one.
  site.counts.add('ada')
  site.counts.add('ada')
  expect(await late).toEqual({ name: 'ada', count: 3 })
  await closing
  await expect(client.count('ada')).rejects.toMatchObject({ code: 'unavailable' })
  await expect(pageByHttp1(site.address, '/visits/ada')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
