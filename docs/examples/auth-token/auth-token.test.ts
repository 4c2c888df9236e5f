import { randomBytes } from 'node:crypto'
import { type Client, type Connector, createClient, type Interceptor, type Listener, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../demo/certificate.ts'
import { bearerToken, type GetToken } from './client.ts'
import { Notes } from './contract.ts'
import { authenticate, authorize, notesHandlers } from './server.ts'
import { Tokens } from './tokens.ts'

type NotesClient = Client<typeof Notes>

let certificate: { key: string; cert: string }

beforeAll(async () => {
  certificate = await makeCertificate()
})

const LISTEN: Readonly<Record<string, () => Promise<{ listener: Listener; connect: () => Connector }>>> = {
  async 'HTTP/2'() {
    const listener = await listenHttp2({ tls: certificate })
    const [address] = listener.addresses as [string]
    return { listener, connect: () => connectHttp2(address, { tls: { ca: certificate.cert } }) }
  },
  async QUIC() {
    const listener = await listenQuic({ tls: certificate })
    const [address] = listener.addresses as [string]
    return { listener, connect: () => connectQuic(address, { tls: { ca: certificate.cert } }) }
  },
}

/** A server, and clients of it that get their tokens in some way. */
class Bed implements AsyncDisposable {
  readonly tokens = new Tokens(KEY)
  readonly #server: AsyncDisposable
  readonly #connector: Connector

  constructor({ listener, connect }: Awaited<ReturnType<(typeof LISTEN)[string]>>) {
    const interceptors = [authenticate((token) => this.tokens.verify(token)), authorize]
    this.#server = serve(Notes, notesHandlers(), listener, { interceptors })
    this.#connector = connect()
  }

  client(interceptors: Interceptor[]): NotesClient {
    return createClient(Notes, this.#connector, { interceptors })
  }

  /** A client with a token for the user. */
  as(name: string, scopes: string[], lifetime = 3_600): NotesClient {
    return this.client([bearerToken(() => this.tokens.issue({ name, scopes }, lifetime))])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connector.close()
    await this.#server[Symbol.asyncDispose]()
  }
}

const KEY = randomBytes(32)

async function all(items: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = []
  for await (const item of items) list.push(item)
  return list
}

describe.each(Object.entries(LISTEN))('over %s', (_transport, listen) => {
  const open = async (): Promise<Bed> => new Bed(await listen())

  test('each user has their own notes', async () => {
    await using bed = await open()
    const ann = bed.as('ann', ['read', 'write'])
    const bob = bed.as('bob', ['read', 'write'])
    expect(await ann.whoAmI()).toEqual({ name: 'ann', scopes: ['read', 'write'] })
    expect(await ann.add(undefined, ['milk', 'bread'])).toBe(2)
    expect(await bob.add(undefined, ['paint'])).toBe(1)
    expect(await all(ann.list())).toEqual(['milk', 'bread'])
    expect(await all(bob.list())).toEqual(['paint'])
  })

  test('nobody is let through without a token', async () => {
    await using bed = await open()
    const nobody = bed.client([])
    await expect(nobody.whoAmI()).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(all(nobody.list())).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(nobody.add(undefined, ['x'])).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('a token is good for its scopes alone', async () => {
    await using bed = await open()
    const reader = bed.as('ann', ['read'])
    expect(await all(reader.list())).toEqual([])
    await expect(reader.add(undefined, ['x'])).rejects.toMatchObject({ code: 'permission_denied' })
    expect(await all(reader.list())).toEqual([])
  })

  test.each<[string, (tokens: Tokens) => Promise<string> | string]>([
    ['of another key', () => new Tokens(randomBytes(32)).issue({ name: 'ann', scopes: ['read'] }, 3_600)],
    ['that has expired', (tokens) => tokens.issue({ name: 'ann', scopes: ['read'] }, -60)],
    ['for another audience', () => jwt({ aud: 'photos', exp: inAnHour() })],
    ['that never ends', () => jwt({ aud: 'notes' })],
    [
      'that is not signed',
      () => `${encode({ alg: 'none' })}.${encode({ sub: 'ann', scopes: ['read'], exp: inAnHour() })}.`,
    ],
    [
      'with another user put in',
      async (tokens) => swapUser(await tokens.issue({ name: 'ann', scopes: ['read'] }, 3_600)),
    ],
    ['that is none', () => 'Bearer'],
    ['that is empty', () => ''],
  ])('a token %s is refused', async (_, make) => {
    await using bed = await open()
    const token = await make(bed.tokens)
    const client = bed.client([bearerToken(async () => token)])
    const error: unknown = await client.whoAmI().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unauthenticated', message: expect.stringMatching(/token/) })
    // It tells nobody who reads the logs what was sent.
    expect(
      String(error)
        .split(' ')
        .filter((word) => word.length > 15),
    ).toEqual([])
  })

  test('a token that has expired is replaced, once for all calls', async () => {
    await using bed = await open()
    const lifetimes = [-60]
    let issued = 0
    const getToken: GetToken = () => {
      issued++
      return bed.tokens.issue({ name: 'ann', scopes: ['read'] }, lifetimes.shift() ?? 3_600)
    }
    const client = bed.client([bearerToken(getToken)])
    const names = await Promise.all(Array.from({ length: 10 }, async () => (await client.whoAmI()).name))
    expect(new Set(names)).toEqual(new Set(['ann']))
    expect(await all(client.list())).toEqual([])
    expect(issued).toBe(2)
  })

  test('a login server that is away fails the call, and the next one asks again', async () => {
    await using bed = await open()
    let away = true
    const client = bed.client([
      bearerToken(async () => {
        if (away) throw new Error('ECONNREFUSED')
        return bed.tokens.issue({ name: 'ann', scopes: [] }, 3_600)
      }),
    ])
    await expect(client.whoAmI()).rejects.toMatchObject({ code: 'internal' })
    away = false
    expect((await client.whoAmI()).name).toBe('ann')
  })
})

function inAnHour(): number {
  return Math.floor(Date.now() / 1_000) + 3_600
}

/** A token with our key that the login server would not issue. */
function jwt(claims: { aud: string; exp?: number }): Promise<string> {
  return new SignJWT({ sub: 'ann', iss: 'https://login.example', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(KEY)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function swapUser(token: string): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return [header, encode({ ...claims, sub: 'bob' }), signature].join('.')
}
