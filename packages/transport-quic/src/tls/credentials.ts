import { createPrivateKey, X509Certificate } from 'node:crypto'
import { RpcError } from '@qrpc/core'

/** PEM text, as a string or as bytes; several certificates in one text form a chain. */
export type Pem = string | Uint8Array

/** Certificate and key of one side, and whom it trusts. */
export interface TlsCredentials {
  /** The certificate, with its chain behind it. */
  readonly cert?: Pem | undefined
  /** The private key of the certificate. */
  readonly key?: Pem | undefined
  /** The certificate authorities that the peer's certificate is checked against. Default: those of the system. */
  readonly ca?: Pem | undefined
}

/** {@link TlsCredentials} of a server, which needs a certificate and its key. */
export interface ServerCredentials extends TlsCredentials {
  /** Whether clients need a certificate that `ca` vouches for. Default: false. */
  readonly requestCert?: boolean | undefined
}

/** {@link TlsCredentials} as the binding takes them. */
export interface CheckedCredentials {
  readonly cert: Uint8Array[] | null
  readonly key: Uint8Array[] | null
  readonly ca: Uint8Array | null
}

/**
 * Checks what the binding would take without a word: garbage as a certificate fails only in the handshakes.
 *
 * @throws RpcError `invalid_argument` that says what is wrong.
 */
export function checkCredentials({ cert, key, ca }: TlsCredentials): CheckedCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw new RpcError('invalid_argument', 'tls: give cert and key together, or neither of them')
  }
  if (cert !== undefined && key !== undefined) {
    const certificate = checkCertificate('cert', cert)
    const privateKey = checked('key', () => createPrivateKey(text(key)))
    if (!certificate.checkPrivateKey(privateKey))
      throw new RpcError('invalid_argument', 'tls: key is not the key of cert')
  }
  if (ca !== undefined) checkCertificate('ca', ca)
  return {
    cert: cert === undefined ? null : [bytes(cert)],
    key: key === undefined ? null : [bytes(key)],
    ca: ca === undefined ? null : bytes(ca),
  }
}

function checkCertificate(name: string, pem: Pem): X509Certificate {
  return checked(name, () => new X509Certificate(text(pem)))
}

function checked<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new RpcError(
      'invalid_argument',
      `tls: ${name} is not what it should be in PEM: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}

function text(pem: Pem): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1')
}

function bytes(pem: Pem): Uint8Array {
  return typeof pem === 'string' ? Buffer.from(pem) : pem
}
