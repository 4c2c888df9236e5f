import { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { RpcError } from '@qrpc/core'
import { LimitError } from '@qrpc/wire'
import type { Config, HostPort, Quiche } from '../binding.ts'
import { newConnectionId } from '../connection/connection-id.ts'
import { QuicConnection, type QuicConnectionObserver } from '../connection/quic-connection.ts'
import { Endpoint } from '../endpoint/endpoint.ts'
import type { Target } from './target.ts'

/** How a connection is made. */
export interface DialSettings {
  readonly target: Target
  /** The name that the server's certificate must be for; an IP address for one that is for that. */
  readonly serverName: string
  readonly connectTimeoutMs: number
  readonly keyLogFile: string | undefined
  /** A socket that others use, too. Default: one of its own. */
  readonly endpoint: Endpoint | undefined
  /** A session of an earlier connection to the same server, to resume. */
  readonly session: Uint8Array | undefined
  /** Whether a connection that may carry early data is as good as established. */
  readonly earlyData: boolean
  /** The config for a peer at this address. */
  readonly config: (binding: Quiche, host: string) => Config
}

/** A connection that was made, and the endpoint that goes with it, if it is its own. */
export interface Dialled {
  readonly connection: QuicConnection
  /** Frees what was made for the connection. */
  release(): Promise<void>
}

/** What the one who dials is told of a connection once it is established. */
export type DialObserver = Pick<QuicConnectionObserver, 'onTurn' | 'onClosed'>

/**
 * A connection whose handshake is done, and whose server is who it should be; with a session that takes early data, one
 * whose handshake goes on: only who has the keys of that session can read what is sent by then.
 *
 * @throws RpcError (as a rejection) `unavailable` with what has failed, or the signal's reason.
 */
export async function dial(
  binding: Quiche,
  settings: DialSettings,
  signal: AbortSignal,
  observer: DialObserver,
): Promise<Dialled> {
  const { target } = settings
  let own: Endpoint | undefined
  try {
    const host = isIP(target.host) === 0 ? (await lookup(target.host)).address : target.host
    const remote: HostPort = { host, port: target.port }
    let { endpoint } = settings
    if (endpoint === undefined) {
      own = await Endpoint.connect(binding, remote)
      endpoint = own
    }
    const connection = await handshake(endpoint, remote, settings, signal, observer)
    return { connection, release: async () => own?.close() }
  } catch (error) {
    await own?.close()
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof RpcError && error.code !== 'unavailable') throw error
    const cause = error instanceof RpcError ? (error.cause ?? error) : error
    if (error instanceof LimitError)
      throw new LimitError(error.limit, 'unavailable', `cannot connect to ${target.address}: ${reason}`)
    throw new RpcError('unavailable', `cannot connect to ${target.address}: ${reason}`, { cause })
  }
}

function handshake(
  endpoint: Endpoint,
  remote: HostPort,
  settings: DialSettings,
  signal: AbortSignal,
  observer: DialObserver,
): Promise<QuicConnection> {
  if (signal.aborted) return Promise.reject(RpcError.from(signal.reason, 'cancelled'))
  const { binding, local } = endpoint
  const id = newConnectionId()
  // The binding knows names only; whether the certificate is for an IP address is looked at once it is here.
  const name = isIP(settings.serverName) === 0 ? settings.serverName : null
  const quiche = binding.Connection.connect(name, id, local, remote, settings.config(binding, remote.host))
  if (settings.keyLogFile !== undefined) quiche.setKeylog(settings.keyLogFile)
  if (settings.session !== undefined) quiche.setSession(settings.session)
  return new Promise((resolve, reject) => {
    let dialled = false
    const onAbort = (): void => {
      if (!dialled) connection.close(0, RpcError.from(signal.reason, 'cancelled'))
    }
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    const connection: QuicConnection = new QuicConnection(
      binding,
      quiche,
      { from: remote, to: local },
      false,
      endpoint,
      {
        onEstablished() {
          const refusal = name === null ? checkAddress(connection, settings.serverName) : undefined
          if (refusal !== undefined) {
            connection.close(0, refusal)
            return
          }
          settle()
          dialled = true
          resolve(connection)
        },
        onStream: (stream) => stream.reset(new RpcError('unimplemented', 'a client takes no streams')),
        onTurn: () => observer.onTurn(),
        onReset() {},
        onClosed(error) {
          settle()
          endpoint.remove(connection)
          if (dialled) observer.onClosed(error)
          else reject(error)
        },
      },
    )
    const timer = setTimeout(
      () =>
        connection.close(
          0,
          new LimitError('connectTimeoutMs', 'unavailable', `no answer within ${settings.connectTimeoutMs} ms`),
        ),
      settings.connectTimeoutMs,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    endpoint.add(connection, [id])
    connection.flush()
    if (settings.earlyData && quiche.isInEarlyData()) {
      dialled = true
      resolve(connection)
    }
  })
}

/** The authorities have vouched for the certificate by now; whether it is for this address is left to see. */
function checkAddress(connection: QuicConnection, address: string): RpcError | undefined {
  const [leaf] = connection.quiche.peerCertChain() ?? []
  if (leaf !== undefined && new X509Certificate(leaf).checkIP(address) !== undefined) return undefined
  return new RpcError('unavailable', `the server's certificate is not for the IP address ${address}`)
}
