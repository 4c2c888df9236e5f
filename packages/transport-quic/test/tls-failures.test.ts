import { createClient } from '@qrpc/core'
import { connectQuic } from '@qrpc/transport-quic'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { connectEcho, Echo } from './service.ts'

const DAY_MS = 86_400_000

let certificates: Certificates
let stranger: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
  stranger = await makeCertificates('a stranger')
})

describe('the name of a server that is an IP address', () => {
  test('is not found among the DNS names of its certificate', async () => {
    const { ca, server } = await makeCertificates('an authority', undefined, [{ type: 2, value: '127.0.0.1' }])
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /not for the IP address 127\.0\.0\.1/)
  })

  test('is not found where the certificate is for another address', async () => {
    const { ca, server } = await makeCertificates('an authority', undefined, [{ type: 7, ip: '127.0.0.2' }])
    await using echo = await connectEcho({ tls: server }, { tls: { ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /not for the IP address 127\.0\.0\.1/)
    await using other = connectQuic(echo.address, { tls: { ca, serverName: '127.0.0.2' } })
    expect(await createClient(Echo, other).echo(1)).toBe(1)
  })

  test('is checked in addition to the authority, not instead of it', async () => {
    await using echo = await connectEcho({ tls: stranger.server }, { tls: { ca: certificates.ca } })
    await expectStatus(echo.client.echo(1), 'unavailable', /authority/)
  })

  test('a server whose certificate no system knows is refused where no authority is given', async () => {
    await using echo = await connectEcho({ tls: certificates.server })
    await expectStatus(echo.client.echo(1), 'unavailable', /authority/)
  })
})

describe('a client whose certificate is refused hears why', () => {
  test.each([
    ['none', async () => ({}), /a client certificate is required/],
    ['one of an unknown authority', async () => stranger.client, /unknown authority/],
    [
      'one of an authority with the same name',
      async () => (await makeCertificates()).client,
      /not of the authority that it names|unknown authority/,
    ],
  ])('%s', async (_, own, why) => {
    const { ca, server } = certificates
    const seen: unknown[] = []
    await using echo = await connectEcho(
      { tls: { ...server, ca, requestCert: true } },
      { tls: { ca, ...(await own()) } },
      { echo: (message) => seen.push(message) },
    )
    // Its own handshake is done before the server has looked at the certificate: calls are on their way by then.
    for (let n = 0; n < 3; n++) await expectStatus(echo.client.echo(n), 'unavailable', why)
    const { client } = certificates
    await using welcome = connectQuic(echo.address, { tls: { ca, ...client } })
    await createClient(Echo, welcome).echo('welcome')
    expect(seen).toEqual(['welcome'])
  })

  test('one that has expired', async () => {
    const { ca, client } = await makeCertificates('an authority', new Date(Date.now() - DAY_MS))
    const { server } = certificates
    await using echo = await connectEcho(
      { tls: { ...server, ca, requestCert: true } },
      { tls: { ca: certificates.ca, ...client } },
    )
    await expectStatus(echo.client.echo(1), 'unavailable', /expired/)
  })
})
