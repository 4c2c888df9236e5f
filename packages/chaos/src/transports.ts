import { rmSync } from 'node:fs'
import type { Connector, Listener } from '@qrpc/core'
import { connectHttp2, listenHttp2, type TransportCounters } from '@qrpc/transport-http2'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import type { Certificate } from './certificate.ts'
import { startDatagramNetwork } from './network/datagram-network.ts'
import type { Network } from './network/network.ts'
import { startStreamNetwork } from './network/stream-network.ts'
import type { Random } from './random.ts'

export const NETWORK_TRANSPORTS = ['http2', 'http2-tls', 'unix', 'quic'] as const
export type NetworkTransport = (typeof NETWORK_TRANSPORTS)[number]
export type Transport = 'mem' | NetworkTransport

/** Where a server listens, so that it comes back to the same place. */
export interface Place {
  readonly transport: NetworkTransport
  /** 0: any that is free. */
  readonly port: number
  /** Of a Unix socket. */
  readonly path: string
  readonly certificate: Certificate
}

/** Fewer than there are calls at a time, so that some wait in line. */
export const MAX_STREAMS = 8

/** After how long silence means that the other side is gone, in ms. */
const SILENCE_MS = 1000

const LIMITS = { maxConcurrentStreams: MAX_STREAMS, closeTimeoutMs: SILENCE_MS / 2 }
// Windows that messages fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }
const SHARED = { ...LIMITS, ...WINDOWS }
const LISTENING = { firstFrameTimeoutMs: SILENCE_MS, handshakeTimeoutMs: SILENCE_MS }
const CONNECTING = { connectTimeoutMs: SILENCE_MS, initialBackoffMs: 5, maxBackoffMs: 50 }
const KEEP_ALIVE = { keepAliveIntervalMs: SILENCE_MS / 2, keepAliveTimeoutMs: SILENCE_MS / 2 }

/** A listener that tells how many connections it has. */
export type CountedListener = Listener & { readonly counters: TransportCounters }

export function listen({ transport, port, path, certificate }: Place): Promise<CountedListener> {
  if (transport === 'quic') {
    // What a datagram holds on a path that is no loopback: larger messages are cut into several.
    return listenQuic({ ...SHARED, ...LISTENING, port, tls: certificate, ...QUIC })
  }
  const http2 = { ...SHARED, ...LISTENING, idleTimeoutMs: SILENCE_MS }
  if (transport === 'unix') {
    // Who was killed leaves it behind.
    rmSync(path, { force: true })
    return listenHttp2({ ...http2, path })
  }
  return listenHttp2({ ...http2, port, ...(transport === 'http2-tls' && { tls: { ...certificate } }) })
}

const QUIC = { idleTimeoutMs: SILENCE_MS, maxDatagramSize: 1350 }

export function connect(transport: NetworkTransport, address: string, { cert }: Certificate): Connector {
  if (transport === 'quic') return connectQuic(address, { ...SHARED, ...CONNECTING, ...QUIC, tls: { ca: cert } })
  return connectHttp2(address, {
    ...SHARED,
    ...CONNECTING,
    ...KEEP_ALIVE,
    ...(transport === 'http2-tls' && { tls: { ca: cert } }),
  })
}

/** Puts a network in front of the server at an address. */
export function startNetwork(transport: NetworkTransport, address: string, random: Random): Promise<Network> {
  if (transport === 'unix') {
    const path = address.slice('unix:'.length)
    const front = `${path}.front`
    return startStreamNetwork({ server: { path }, path: front, addressOf: () => `unix:${front}` }, random)
  }
  const scheme = address.slice(0, address.indexOf(':'))
  const addressOf = (port: number): string => `${scheme}://127.0.0.1:${port}`
  const port = portOf(address)
  if (transport === 'quic') return startDatagramNetwork(port, addressOf, random)
  return startStreamNetwork({ server: { host: '127.0.0.1', port }, addressOf }, random)
}

/** The port of an address, 0 where it has none. */
export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 0)
}
