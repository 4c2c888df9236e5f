import { generate } from 'selfsigned'

/** A certificate authority, a server's and a client's certificate, made on the spot. */
export interface Certificates {
  readonly ca: string
  readonly server: { readonly key: string; readonly cert: string }
  readonly client: { readonly key: string; readonly cert: string }
}

const LOOPBACK: AltName[] = [
  { type: 2, value: 'localhost' },
  { type: 7, ip: '127.0.0.1' },
]

/** A DNS name (2) or an IP address (7). */
type AltName = { type: 2; value: string } | { type: 7; ip: string }

/** P-256 certificates, unless told otherwise for localhost and 127.0.0.1. */
export async function makeCertificates(
  authorityName = 'qrpc test authority',
  notAfterDate = new Date(Date.now() + 86_400_000),
  altNames = LOOPBACK,
): Promise<Certificates> {
  const options = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const
  const ca = await generate([{ name: 'commonName', value: authorityName }], {
    ...options,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  })
  const authority = { key: ca.private, cert: ca.cert }
  const leaf = async (name: string): Promise<{ key: string; cert: string }> => {
    const made = await generate([{ name: 'commonName', value: name }], {
      ...options,
      notBeforeDate: new Date(notAfterDate.getTime() - 2 * 86_400_000),
      notAfterDate,
      ca: authority,
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        { name: 'subjectAltName', altNames },
      ],
    })
    return { key: made.private, cert: made.cert }
  }
  return { ca: ca.cert, server: await leaf('localhost'), client: await leaf('a client') }
}
