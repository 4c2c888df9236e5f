import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { Http2SecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho, Echo } from './service.ts'

let certificates: Certificates
let stranger: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
  stranger = await makeCertificates('a stranger')
})

describe('TLS', () => {
  test('the client sees the certificate of the server', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    const channel = await echo.connector.open()
    expect(echo.address).toMatch(/^https:/)
    expect(new X509Certificate(channel.peer.certificate as Uint8Array).subject).toBe('CN=localhost')
  })

  test('mTLS: the handler sees the certificate of the client', async () => {
    const { ca, server, client } = certificates
    let certificate: Uint8Array | undefined
    await using echo = await connectEcho(
      { tls: { ...server, ca, requestCert: true } },
      { tls: { ca, ...client } },
      {
        echo: (message, { peer }) => {
          certificate = peer.certificate
          return message
        },
      },
    )
    await echo.client.echo(1)
    expect(new X509Certificate(certificate as Uint8Array).subject).toBe('CN=a client')
  })

  test('without mTLS the handler sees no certificate, whatever the client would have', async () => {
    const { ca, server, client } = certificates
    let certificate: Uint8Array | undefined
    await using echo = await connectEcho(
      { tls: server },
      { tls: { ca, ...client } },
      {
        echo: (message, { peer }) => {
          certificate = peer.certificate
          return message
        },
      },
    )
    await echo.client.echo(1)
    expect(certificate).toBeUndefined()
  })

  test('a client without a certificate, or with a stranger’s, is unavailable where one is asked for', async () => {
    const { ca, server } = certificates
    for (const own of [{}, stranger.client]) {
      await using echo = await connectEcho({ tls: { ...server, ca, requestCert: true } }, { tls: { ca, ...own } })
      await expectStatus(echo.client.echo(1), 'unavailable')
    }
  })

  test('a server with a certificate of an unknown authority is unavailable, and the text says so', async () => {
    await using echo = await connectEcho({ tls: certificates.server }, { tls: { ca: stranger.ca } })
    const error = await expectStatus(echo.client.echo(1), 'unavailable', /certificate|issuer|signature/)
    expect(error.cause).toBeInstanceOf(Error)
  })

  test('a server with a certificate for another name is unavailable, and the text names both', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca, servername: 'other.example' } })
    await expectStatus(echo.client.echo(1), 'unavailable', /other\.example/)
  })

  test('a server that does not agree on h2 (ALPN) is unavailable, and the text says so', async () => {
    const { ca, server } = certificates
    const other = createServer({ ...server, ALPNProtocols: ['http/1.1'] }).listen(0, '127.0.0.1')
    other.on('tlsClientError', () => {})
    await once(other, 'listening')
    await using connector = connectHttp2(`https://127.0.0.1:${(other.address() as AddressInfo).port}`, { tls: { ca } })
    await expectStatus(createClient(Echo, connector).echo(1), 'unavailable', /ALPN|no application protocol/i)
    other.close()
    await once(other, 'close')
  })

  test('the certificate can be changed while the listener goes on', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    await echo.client.echo(1)
    const tls = echo.listener.server as Http2SecureServer
    tls.setSecureContext(stranger.server)
    expect(await echo.client.echo(2)).toBe(2)
    await using later = connectHttp2(echo.address, { tls: { ca: stranger.ca } })
    expect(await createClient(Echo, later).echo(3)).toBe(3)
  })
})
