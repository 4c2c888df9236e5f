import type { Config, Quiche } from '../binding.ts'
import type { CheckedQuicOptions } from '../options.ts'
import type { CheckedCredentials } from './credentials.ts'

/** What both sides agree on in the handshake (RFC 7301): with lanes, or with a stream for each call. */
const ALPN = 'qrpc/1'
export const ALPN_WITH_LANES = 'qrpc/1+lanes'

// Addresses that a peer may have in the life of a connection, as behind a NAT: quiche counts them against this limit, and
// forgets none.
const MOST_ADDRESSES = 32

/**
 * Streams that a server lets a client have besides those that it may use at a time: one is for a lane, and the others keep
 * it going where the word that there are more is lost, which this quiche does not repeat.
 */
export const SPARE_STREAMS = 16

/** What the config of one side needs besides the options. */
export interface ConfigSettings {
  readonly credentials: CheckedCredentials
  /** Whether the peer must have a certificate that the authorities vouch for. */
  readonly verifyPeer: boolean
  /** Streams that the peer may have open at a time. */
  readonly maxStreams: number
  readonly datagramSize: number
  /** What a server's session tickets are encrypted with: 48 bytes. */
  readonly ticketKey?: Uint8Array | undefined
  /** Whether data may travel before the handshake is done (RFC 9001, section 4.6). */
  readonly earlyData: boolean
}

/** A config of quiche, which all connections of one side can share. */
export function createConfig(quiche: Quiche, options: CheckedQuicOptions, settings: ConfigSettings): Config {
  const { ca, key, cert } = settings.credentials
  const config = quiche.Config.withBoringSslCtx(settings.verifyPeer, false, ca, key, cert, null)
  config.setApplicationProtos(options.lanes ? [ALPN_WITH_LANES, ALPN] : [ALPN])
  config.setMaxIdleTimeout(options.idleTimeoutMs)
  config.setMaxRecvUdpPayloadSize(65_527)
  config.setMaxSendUdpPayloadSize(settings.datagramSize)
  config.setInitialMaxData(options.connectionWindow)
  config.setInitialMaxStreamDataBidiLocal(options.streamWindow)
  config.setInitialMaxStreamDataBidiRemote(options.streamWindow)
  config.setInitialMaxStreamDataUni(0)
  config.setInitialMaxStreamsBidi(settings.maxStreams)
  config.setInitialMaxStreamsUni(0)
  config.setMaxConnectionWindow(options.connectionWindow)
  config.setMaxStreamWindow(options.streamWindow)
  config.setCcAlgorithmName(options.congestionControl)
  config.setActiveConnectionIdLimit(MOST_ADDRESSES)
  if (settings.ticketKey !== undefined) config.setTicketKey(settings.ticketKey)
  if (settings.earlyData) config.enableEarlyData()
  if (options.keyLogFile !== undefined) config.logKeys()
  return config
}
