import { generate } from 'selfsigned'

/** A certificate for 127.0.0.1 that is its own authority. */
export async function makeCertificate(): Promise<{ ca: string; key: string; cert: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { ca: made.cert, key: made.private, cert: made.cert }
}
