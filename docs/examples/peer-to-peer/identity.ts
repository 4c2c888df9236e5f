import { randomUUID, X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

/** The name in all certificates: nodes are told apart by their fingerprints instead. */
export const NODE = 'node'

/** The key pair of a node, and the certificate that it shows. */
export interface Identity {
  readonly key: string
  readonly cert: string
}

/** A new key pair, with a certificate that nobody vouches for and that vouches for no other. */
export async function createIdentity(): Promise<Identity> {
  // Of certificates with the same subject a listener would find only one.
  const made = await generate([{ name: 'commonName', value: randomUUID() }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: NODE }] },
    ],
  })
  return { key: made.private, cert: made.cert }
}

/** The SHA-256 of a certificate, PEM or DER: what a node is known by. */
export function fingerprintOf(certificate: string | Uint8Array): string {
  return new X509Certificate(certificate).fingerprint256
}
