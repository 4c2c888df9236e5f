import { X509Certificate } from 'node:crypto'
import { createClient, type Peer, type Server, type StatefulConnector } from '@qrpc/core'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

let old: Certificates
let renewed: Certificates

beforeAll(async () => {
  old = await makeCertificates()
  renewed = await makeCertificates('another authority')
})

/** Closes a server, and resolves with its port once the connector has noticed. */
async function replaced(server: Server, connector: StatefulConnector): Promise<number> {
  const lost = new Promise<void>((resolve) => connector.observeState((state) => state === 'idle' && resolve()))
  await server.close()
  await lost
  return Number(new URL(server.addresses[0] as string).port)
}

describe('setSecureContext', () => {
  test('new connections see the new certificate, and those that are there go on', async () => {
    await using echo = await connectEcho({ tls: old.server }, { tls: { ca: old.ca } })
    await echo.client.echo(1)
    const call = echo.client.talk()
    await call.send('before')
    expect(await call.receive()).toBe('before')
    echo.listener.setSecureContext(renewed.server)
    await call.send('after')
    expect(await call.receive()).toBe('after')
    expect(await echo.client.echo(2)).toBe(2)
    await using known = connectQuic(echo.address, { tls: { ca: renewed.ca } })
    expect(await createClient(Echo, known).echo(3)).toBe(3)
    await using unaware = connectQuic(echo.address, { tls: { ca: old.ca } })
    await expectStatus(createClient(Echo, unaware).echo(4), 'unavailable', /unknown authority/)
    call.cancel()
  })

  test('what is no certificate is refused, and the old one stays', async () => {
    await using echo = await connectEcho({ tls: old.server }, { tls: { ca: old.ca } })
    for (const tls of [{}, { cert: 'x', key: 'y' }, { cert: renewed.server.cert, key: old.server.key }]) {
      expect(() => echo.listener.setSecureContext(tls)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    }
    expect(await echo.client.echo(1)).toBe(1)
  })

  test('client certificates can be asked for from then on', async () => {
    await using echo = await connectEcho({ tls: old.server }, { tls: { ca: old.ca } })
    echo.listener.setSecureContext({ ...old.server, ca: old.ca, requestCert: true })
    await expectStatus(echo.client.echo(1), 'unavailable', /certificate/)
  })
})

describe('session tickets', () => {
  // Only a session that is resumed can do without a certificate that the client would accept.
  async function echoAfterReplacement(ticketKey: Uint8Array): Promise<unknown> {
    const first = serveEcho(await listenQuic({ tls: old.server, ticketKey: new Uint8Array(48).fill(1) }))
    await using connector = connectQuic(first.addresses[0] as string, { tls: { ca: old.ca }, initialBackoffMs: 1 })
    const client = createClient(Echo, connector)
    await client.echo(1)
    const port = await replaced(first, connector)
    await using _second = serveEcho(await listenQuic({ tls: renewed.server, ticketKey, port }))
    return await client.echo(2)
  }

  test('a session is resumed at a server with the same ticket key', async () => {
    expect(await echoAfterReplacement(new Uint8Array(48).fill(1))).toBe(2)
  })

  test('a server with another ticket key has to show its certificate', async () => {
    await expectStatus(echoAfterReplacement(new Uint8Array(48).fill(2)), 'unavailable', /unknown authority/)
  })

  test('the handler sees the certificate of a client that resumes', async () => {
    const seen: (Uint8Array | undefined)[] = []
    const handlers = {
      echo: (message: unknown, { peer }: { peer: Peer }) => {
        seen.push(peer.certificate)
        return message
      },
    }
    const listening = { tls: { ...old.server, ca: old.ca, requestCert: true }, ticketKey: new Uint8Array(48) }
    const first = serveEcho(await listenQuic(listening), handlers)
    const [address] = first.addresses as [string]
    await using connector = connectQuic(address, { tls: { ca: old.ca, ...old.client }, initialBackoffMs: 1 })
    const client = createClient(Echo, connector)
    await client.echo(1)
    const port = await replaced(first, connector)
    const tls = { ...renewed.server, ca: old.ca, requestCert: true }
    await using _second = serveEcho(await listenQuic({ ...listening, tls, port }), handlers)
    await client.echo(2)
    expect(seen.map((certificate) => new X509Certificate(certificate as Uint8Array).subject)).toEqual([
      'CN=a client',
      'CN=a client',
    ])
  })

  test('a session without a client certificate is no way around one that is required', async () => {
    const ticketKey = new Uint8Array(48)
    const first = serveEcho(await listenQuic({ tls: old.server, ticketKey }))
    const [address] = first.addresses as [string]
    await using connector = connectQuic(address, { tls: { ca: old.ca }, initialBackoffMs: 1 })
    const client = createClient(Echo, connector)
    await client.echo(1)
    const port = await replaced(first, connector)
    const tls = { ...old.server, ca: old.ca, requestCert: true }
    await using _second = serveEcho(await listenQuic({ tls, ticketKey, port }))
    await expectStatus(client.echo(2), 'unavailable', /certificate/)
  })

  test.each([47, 49])('a ticket key of %d bytes is refused', async (size) => {
    await expectStatus(listenQuic({ tls: old.server, ticketKey: new Uint8Array(size) }), 'invalid_argument', /48/)
  })
})
