import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho } from './service.ts'
import { VirtualNetwork } from './virtual-network.ts'

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

  test('a client without a certificate, or with a stranger’s, is unavailable where one is asked for', async () => {
    const { ca, server } = certificates
    for (const own of [{}, stranger.client]) {
      await using echo = await connectEcho({ tls: { ...server, ca, requestCert: true } }, { tls: { ca, ...own } })
      await expectStatus(echo.client.echo(1), 'unavailable', /certificate/)
    }
  })

  test('a server with a certificate of an unknown authority is unavailable, and the text says so', async () => {
    await using echo = await connectEcho({ tls: certificates.server }, { tls: { ca: stranger.ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /unknown authority/)
  })

  test('a server with a certificate for another name is unavailable, and the text says so', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca, serverName: 'other.example' } })
    await expectStatus(echo.client.echo(1), 'unavailable', /another name/)
  })

  test('the name is checked for hosts that are IP addresses, too', async () => {
    const { ca, server } = certificates
    await using good = await connectEcho({ tls: server }, { tls: { ca } })
    expect(good.address).toMatch(/^quic:\/\/127\.0\.0\.1:/)
    expect(await good.client.echo(1)).toBe(1)
    await using bad = await connectEcho({ tls: server }, { tls: { ca, serverName: '127.0.0.2' } })
    await expectStatus(bad.client.echo(1), 'unavailable', /127\.0\.0\.2/)
  })

  test('a server with a certificate that has expired is unavailable, and the text says so', async () => {
    const { ca, server } = await makeCertificates('an authority', new Date(Date.now() - 86_400_000))
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /expired/)
  })

  test('a peer that speaks another protocol is refused, and the text names ours', async () => {
    using network = await VirtualNetwork.start(certificates, () => [0], ['other/1'])
    expect((await network.closed.client).message).toContain('qrpc/1 (ALPN)')
  })

  test('an authority of the same name is another one all the same', async () => {
    const impostor = await makeCertificates()
    await using echo = await connectEcho({ tls: impostor.server }, { tls: { ca: certificates.ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /authority/)
  })

  test('a name stands in for an address', async () => {
    const { ca, server } = certificates
    await using echo = await connectEcho({ tls: server }, { tls: { ca, serverName: 'localhost' } })
    expect(await echo.client.echo(1)).toBe(1)
  })

  test('what is no certificate or key is refused before anybody connects, and the text names it', async () => {
    const { ca, server } = certificates
    await expectStatus(listenQuic({ tls: { ...server, cert: 'garbage' } }), 'invalid_argument', /cert/)
    await expectStatus(listenQuic({ tls: { ...server, key: 'garbage' } }), 'invalid_argument', /key/)
    await expectStatus(listenQuic({ tls: { ...server, key: stranger.server.key } }), 'invalid_argument', /key/)
    await expectStatus(listenQuic({ tls: { cert: server.cert } }), 'invalid_argument', /cert and key/)
    await expectStatus(listenQuic({ tls: {} }), 'invalid_argument', /needs a cert/)
    expect(() => connectQuic('quic://127.0.0.1:1', { tls: { ca: 'garbage' } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
    expect(() => connectQuic('quic://127.0.0.1:1', { tls: { ca, serverName: '' } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })

  test('the secrets of a connection are written for Wireshark where that is asked for', async () => {
    const { ca, server } = certificates
    const directory = mkdtempSync(join(tmpdir(), 'qrpc-'))
    try {
      const keyLogFile = join(directory, 'keys')
      await using echo = await connectEcho({ tls: server }, { tls: { ca }, keyLogFile })
      await echo.client.echo(1)
      expect(existsSync(keyLogFile)).toBe(true)
      expect(readFileSync(keyLogFile, 'utf8')).toMatch(/CLIENT_HANDSHAKE_TRAFFIC_SECRET/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
