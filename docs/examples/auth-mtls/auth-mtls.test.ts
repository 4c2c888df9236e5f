import { type Client, type Connector, createClient, type Listener, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { Authority, type Identity } from './authority.ts'
import { Settings } from './contract.ts'
import { authorize, type Grants, settingsHandlers } from './server.ts'

const GRANTS: Grants = {
  'settings/whoAmI': ['web', 'admin'],
  'settings/get': ['web', 'admin'],
  'settings/list': ['admin'],
  'settings/set': ['admin'],
}

const TRANSPORTS: Readonly<
  Record<
    string,
    {
      readonly listen: (identity: Identity) => Promise<Listener>
      readonly connect: (address: string, tls: Partial<Identity>) => Connector
    }
  >
> = {
  'HTTP/2': {
    listen: (identity) => listenHttp2({ tls: { ...identity, requestCert: true, rejectUnauthorized: true } }),
    connect: (address, tls) => connectHttp2(address, { tls }),
  },
  QUIC: {
    listen: (identity) => listenQuic({ tls: { ...identity, requestCert: true } }),
    connect: (address, tls) => connectQuic(address, { tls }),
  },
}

const identities = {} as Record<'server' | 'web' | 'admin' | 'stranger' | 'impostor', Identity>

beforeAll(async () => {
  const own = await Authority.create('our authority')
  const other = await Authority.create('another authority')
  for (const name of ['server', 'web', 'admin', 'stranger'] as const) identities[name] = await own.issue(name)
  // The name of another service, vouched for by somebody else; it trusts our server all the same.
  identities.impostor = { ...(await other.issue('admin')), ca: identities.server.ca }
})

describe.each(Object.entries(TRANSPORTS))('over %s', (_, { listen, connect }) => {
  /** A server, and clients with one certificate or another. */
  async function open() {
    const listener = await listen(identities.server)
    const [address] = listener.addresses as [string]
    const server = serve(Settings, settingsHandlers(), listener, { interceptors: [authorize(GRANTS)] })
    const connectors: Connector[] = []
    return {
      client(tls: Partial<Identity>): Client<typeof Settings> {
        const connector = connect(address, tls)
        connectors.push(connector)
        return createClient(Settings, connector)
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(connectors.map((connector) => connector.close()))
        await server.close()
      },
    }
  }

  test('a caller is known by its certificate', async () => {
    await using bed = await open()
    expect(await bed.client(identities.web).whoAmI()).toBe('web')
    expect(await bed.client(identities.admin).whoAmI()).toBe('admin')
  })

  test('each may call what its name may', async () => {
    await using bed = await open()
    const admin = bed.client(identities.admin)
    const web = bed.client(identities.web)
    await admin.set(['colour', 'red'])
    expect(await web.get('colour')).toBe('red')
    await expect(web.set(['colour', 'blue'])).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(web.list().started).rejects.toMatchObject({ code: 'permission_denied' })
    const list: unknown[] = []
    for await (const setting of admin.list()) list.push(setting)
    expect(list).toEqual([['colour', 'red']])
  })

  test('a valid certificate alone is no permission', async () => {
    await using bed = await open()
    await expect(bed.client(identities.stranger).get('colour')).rejects.toMatchObject({
      code: 'permission_denied',
      message: 'stranger may not call settings/get',
    })
  })

  test('nobody gets as far as a call without a certificate', async () => {
    await using bed = await open()
    await expect(bed.client({ ca: identities.server.ca }).get('colour')).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a certificate of another authority is none, whatever its name', async () => {
    await using bed = await open()
    await expect(bed.client(identities.impostor).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a client does not talk to a server that it has no reason to trust', async () => {
    await using bed = await open()
    const { key, cert } = identities.web
    const stranger = await Authority.create('somebody')
    const { ca } = await stranger.issue('web')
    await expect(bed.client({ key, cert, ca }).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('those who are refused do not bother the others', async () => {
    await using bed = await open()
    const web = bed.client(identities.web)
    const refused = Promise.allSettled(Array.from({ length: 5 }, () => bed.client(identities.impostor).whoAmI()))
    expect(await web.whoAmI()).toBe('web')
    expect(new Set((await refused).map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(await web.whoAmI()).toBe('web')
  })
})

test('a transport without certificates lets nobody in', async () => {
  const { connector, listener } = createMemoryTransport()
  await using _server = serve(Settings, settingsHandlers(), listener, { interceptors: [authorize(GRANTS)] })
  await using client = createClient(Settings, connector)
  await expect(client.whoAmI()).rejects.toMatchObject({ code: 'unauthenticated' })
})
