import { generate } from 'selfsigned'

/** A certificate for the addresses that is its own authority. */
export async function makeCertificate(hosts: readonly string[]): Promise<{ ca: string; key: string; cert: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: hosts.map((ip) => ({ type: 7 as const, ip })) }],
  })
  return { ca: made.cert, key: made.private, cert: made.cert }
}
