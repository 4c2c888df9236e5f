import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { native } from '@matrixai/quic'
import type { Config } from '@matrixai/quic/native/types.js'
import { MAX_STREAMS, type PeerSettings } from '../peer.ts'

const BUFFER = 4 * 1024 * 1024
const STREAM_WINDOW = 1024 * 1024
const CONNECTION_WINDOW = 16 * 1024 * 1024
/** What loopback carries, and quiche sends. */
const MAX_DATAGRAM = 16_383

export const { quiche } = native

/** A UDP socket with room for bursts, that looks no addresses up. */
export async function bindSocket(host: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _, found) => found(null, host, 4) })
  socket.on('error', () => {})
  const listening = once(socket, 'listening')
  socket.bind(0, host)
  await listening
  socket.setRecvBufferSize(BUFFER)
  socket.setSendBufferSize(BUFFER)
  return socket
}

/** The same windows as qrpc's defaults. */
export function createConfig({ maxDatagramSize = MAX_DATAGRAM }: PeerSettings, tls?: PeerSettings['tls']): Config {
  const pem = (text: string | undefined): [Buffer] | null => (text === undefined ? null : [Buffer.from(text)])
  const config = quiche.Config.withBoringSslCtx(false, false, null, pem(tls?.key), pem(tls?.cert), null)
  config.setApplicationProtos(['bench'])
  config.setMaxIdleTimeout(30_000)
  config.setMaxRecvUdpPayloadSize(65_527)
  config.setMaxSendUdpPayloadSize(maxDatagramSize)
  config.setInitialMaxData(CONNECTION_WINDOW)
  config.setMaxConnectionWindow(CONNECTION_WINDOW)
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW)
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW)
  config.setMaxStreamWindow(STREAM_WINDOW)
  config.setInitialMaxStreamsBidi(MAX_STREAMS)
  return config
}

export function newConnectionId(): Uint8Array {
  return randomBytes(20)
}
