import { X509Certificate } from 'node:crypto'
import { createContextKey, type Handlers, type Interceptor, type Peer, RpcError } from '@qrpc/core'
import type { Settings } from './contract.ts'

const Caller = createContextKey<string | undefined>('caller', undefined)

/** Who may call what: the names in the certificates. */
export type Grants = Readonly<Record<string, readonly string[]>>

/**
 * Lets those through whose certificate has a name that may call the method. That an authority vouches for the certificate
 * has been checked in the handshake: the transport hands on no other.
 */
export function authorize(grants: Grants): Interceptor {
  // A certificate is the same object for all calls of its connection: it is read once.
  const names = new WeakMap<Uint8Array, string | undefined>()
  return (call, next) => {
    const certificate = call.peer?.certificate
    if (certificate === undefined) throw new RpcError('unauthenticated', 'a certificate is needed')
    if (!names.has(certificate)) names.set(certificate, nameIn(certificate))
    const name = names.get(certificate)
    if (name === undefined || !grants[call.method]?.includes(name)) {
      throw new RpcError('permission_denied', `${name} may not call ${call.method}`)
    }
    call.values.set(Caller, name)
    return next(call)
  }
}

/** The name of a service: the `CN` of its certificate, which must be its only one. */
function nameIn(certificate: NonNullable<Peer['certificate']>): string | undefined {
  const { CN } = new X509Certificate(certificate).toLegacyObject().subject
  return typeof CN === 'string' ? CN : undefined
}

/** The handlers know the name of the caller, and nothing of certificates. */
export function settingsHandlers(settings = new Map<string, string>()): Handlers<typeof Settings> {
  return {
    whoAmI: (_, { values }) => values.get(Caller) ?? 'nobody',
    get: (name) => settings.get(name),
    async *list() {
      yield* settings
    },
    set([name, value]) {
      settings.set(name, value)
    },
  }
}
