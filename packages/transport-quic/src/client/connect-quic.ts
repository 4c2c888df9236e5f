import { type Peer, RpcError } from '@qrpc/core'
import { type BackoffOptions, Counters, DialingConnector, type NetworkConnector, WireFormat } from '@qrpc/wire'
import { type Config, loadBinding } from '../binding.ts'
import type { QuicConnection } from '../connection/quic-connection.ts'
import { endpointOf, type QuicEndpoint } from '../endpoint/quic-endpoint.ts'
import { checkInteger, checkMs, checkQuicOptions, datagramSize, type QuicOptions } from '../options.ts'
import { checkCredentials, type TlsCredentials } from '../tls/credentials.ts'
import { createConfig } from '../tls/quic-config.ts'
import { dial } from './dial.ts'
import { QuicClientConnection } from './quic-client-connection.ts'
import { parseTarget } from './target.ts'

/** How a connector connects. */
export interface QuicConnectOptions extends QuicOptions, BackoffOptions {
  /**
   * Whom the client trusts, and the certificate and key that it has itself. QUIC is always encrypted. Default: the
   * certificate authorities of the system.
   */
  readonly tls?: (TlsCredentials & { readonly serverName?: string | undefined }) | undefined
  /**
   * Sends calls of methods declared `idempotent` along with the handshake, a round trip earlier, to a server where this
   * connector was before (RFC 9001, section 4.6). Who records them can have the server execute them again. Default: false.
   */
  readonly earlyData?: boolean | undefined
  /** Channels that are open at a time, if the server allows as many; further opens wait in line. Default: 1000. */
  readonly maxConcurrentStreams?: number | undefined
  /** How long connecting may take, the handshake included, in ms. Default: 10000. */
  readonly connectTimeoutMs?: number | undefined
  /** A UDP socket that is shared with other connectors and a listener. Default: one of its own. */
  readonly endpoint?: QuicEndpoint | undefined
}

/**
 * A connector over QUIC. It connects when the first channel is opened, and again when the connection was lost.
 *
 * @param address `quic://host:port`. The server's certificate must be for the host, or for `tls.serverName`.
 * @example `const client = createClient(Compute, connectQuic('quic://127.0.0.1:4433', { tls: { ca } }))`
 * @throws RpcError `invalid_argument` for an address or options that make no sense.
 * @see https://www.rfc-editor.org/rfc/rfc9000
 */
export function connectQuic(address: string, options: QuicConnectOptions = {}): NetworkConnector {
  const target = parseTarget(address)
  const checked = checkQuicOptions(options)
  const { maxConcurrentStreams = 1000, connectTimeoutMs = 10_000, tls = {}, endpoint, earlyData = false } = options
  checkInteger('maxConcurrentStreams', maxConcurrentStreams, 1, 2 ** 31 - 1)
  checkMs('connectTimeoutMs', connectTimeoutMs)
  const credentials = checkCredentials(tls)
  const serverName = tls.serverName ?? target.host
  if (serverName === '')
    throw new RpcError('invalid_argument', 'tls.serverName "": give the name of the server, or nothing')
  const format = new WireFormat(options)
  let config: Config | undefined
  let session: Uint8Array | undefined
  // Each ticket is for one connection (RFC 8446, appendix C.4), or observers could tell that they are of one client.
  const take = (): Uint8Array | undefined => {
    const taken = session
    session = undefined
    return taken
  }
  const counters = new Counters('client')
  return new DialingConnector(
    address,
    async (signal, observer) => {
      const binding = await loadBinding()
      let client: QuicClientConnection | undefined
      const dialled = await dial(
        binding,
        {
          target,
          serverName,
          connectTimeoutMs,
          keyLogFile: checked.keyLogFile,
          endpoint: endpoint && endpointOf(endpoint),
          session: take(),
          earlyData,
          config(quiche, host) {
            config ??= createConfig(quiche, checked, {
              credentials,
              verifyPeer: true,
              maxStreams: 0,
              datagramSize: datagramSize(checked, host),
              earlyData,
            })
            return config
          },
        },
        signal,
        { onTurn: () => client?.onTurn(), onClosed: (error) => client?.onClosed(error) },
      )
      const settings = {
        ...checked,
        format,
        counters,
        firstFrameTimeoutMs: connectTimeoutMs,
        address,
        peer: peerOf(address, dialled.connection),
        maxConcurrentStreams,
      }
      client = new QuicClientConnection(dialled.connection, settings, observer, () => {
        session = dialled.connection.quiche.session() ?? undefined
        return dialled.release()
      })
      return client
    },
    options,
    counters,
  )
}

function peerOf(address: string, connection: QuicConnection): Peer {
  const [certificate] = connection.quiche.peerCertChain() ?? []
  return { transport: 'quic', address, ...(certificate && { certificate: new Uint8Array(certificate) }) }
}
