import { generate } from 'selfsigned'

/** A certificate and its key, for 127.0.0.1; it is its own authority. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export async function makeCertificate(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { key: made.private, cert: made.cert }
}
