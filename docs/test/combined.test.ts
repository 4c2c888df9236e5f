import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { combineConnectors, type Policy } from '@qrpc/combined'
import { type Client, type Connector, createClient, type Server, serve, service, unary } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlock } from './markdown.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(docs, 'combined.md'), 'utf8')

const HEADINGS = {
  'both-ends': '## Both ends',
  routes: '## Routes',
  policy: '## A policy of your own',
  carrier: '## Who carries a call',
}

// Where the packages can be found as they are from an app.
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(docs, '.combined-'))
  for (const [name, heading] of Object.entries(HEADINGS)) {
    writeFileSync(join(directory, `${name}.ts`), codeBlock(page, heading))
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function load<T>(name: keyof typeof HEADINGS): Promise<T> {
  return (await import(join(directory, `${name}.ts`))) as T
}

const Name = service('name', { name: unary<void, string>() })

function node(name: string) {
  const { connector, listener } = createMemoryTransport({ name })
  return { connector, server: serve(Name, { name: () => name }, listener) }
}

describe('the examples of docs/combined.md', () => {
  test('serve and reach both transports', async () => {
    interface Example {
      readonly start: (tls: { key: string; cert: string }) => Promise<Server>
      readonly connect: (addresses: readonly string[], ca: string) => Client<typeof Where> & AsyncDisposable
    }
    const Where = service('where', { amI: unary<void, string>() })
    const { start, connect } = await load<Example>('both-ends')
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    await using server = await start({ key, cert })
    const [quic, http2] = server.addresses as [string, string]
    await using client = connect([quic, http2], cert)
    expect(await client.amI()).toBe('quic')
    // Where UDP does not get through: nobody is at this port.
    await using blocked = connect(['quic://127.0.0.1:9', http2], cert)
    expect(await blocked.amI()).toBe('http2')
  })

  test('route small calls and bulk', async () => {
    const { bySize } = await load<{ readonly bySize: (quic: Connector, http2: Connector) => Connector }>('routes')
    const [quic, http2] = [node('quic'), node('http2')]
    const client = createClient(Name, bySize(quic.connector, http2.connector))
    expect(await client.name()).toBe('quic')
    await quic.server.close({ graceMs: 0 })
    expect(await client.name()).toBe('http2')
  })

  test('keep a tenant on a server, and go on where that is gone', async () => {
    const { byTenant } = await load<{ readonly byTenant: () => Policy }>('policy')
    const nodes = ['a', 'b', 'c'].map((name) => node(name))
    const combined = combineConnectors(
      nodes.map(({ connector }) => connector),
      byTenant(),
    )
    const client = createClient(Name, combined)
    const ask = (tenant: string): Promise<string> => client.name(undefined, { metadata: { tenant } })
    const homes = new Map<string, string>()
    for (let n = 0; n < 30; n++) homes.set(`tenant ${n}`, await ask(`tenant ${n}`))
    expect([...new Set(homes.values())].toSorted()).toEqual(['a', 'b', 'c'])
    for (const [tenant, home] of homes) expect(await ask(tenant)).toBe(home)
    await nodes[0]?.server.close({ graceMs: 0 })
    for (const [tenant, home] of homes) expect(await ask(tenant)).toBe(home === 'a' ? 'b' : home)
  })

  test('tell who carries a call, and the states', async () => {
    const { tell } = await load<{ readonly tell: (members: Record<string, Connector>) => Promise<string[]> }>('carrier')
    const Clock = service('clock', { now: unary<void, number>() })
    const { connector, listener } = createMemoryTransport()
    serve(Clock, { now: () => 0 }, listener)
    expect(await tell({ main: connector, spare: node('spare').connector })).toEqual([
      'carried by mem',
      'main: ready',
      'spare: ready',
      'all: shutdown',
    ])
  })
})
