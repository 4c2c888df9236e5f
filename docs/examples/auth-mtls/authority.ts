import { generate } from 'selfsigned'

/** A certificate with its key, and the certificate of the authority that vouches for it. */
export interface Identity {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

/** An authority of one's own, as one has it for a test. In earnest it is step-ca, Vault, SPIRE or what the cloud offers. */
export class Authority {
  readonly #key: string
  readonly #cert: string

  private constructor(key: string, cert: string) {
    this.#key = key
    this.#cert = cert
  }

  static async create(name: string): Promise<Authority> {
    const made = await generate([{ name: 'commonName', value: name }], {
      ...EC,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    })
    return new Authority(made.private, made.cert)
  }

  /** A certificate for a service of that name, which may run at 127.0.0.1. */
  async issue(name: string): Promise<Identity> {
    const made = await generate([{ name: 'commonName', value: name }], {
      ...EC,
      ca: { key: this.#key, cert: this.#cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    })
    return { key: made.private, cert: made.cert, ca: this.#cert }
  }
}

const EC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const
