import type { Connector, Listener } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'

/** A certificate and its key, for 127.0.0.1. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** How a transport over a network is used, with limits that the calls of a test stay below. */
export interface NetworkTransport {
  readonly listen: (port: number, certificate: Certificate) => Promise<Listener>
  readonly connect: (address: string, certificate: Certificate) => Connector
}

const LIMITS = { maxConcurrentStreams: 2000 }
// Once killed, a server over UDP is known to be gone only by its silence.
const QUIC = { ...LIMITS, idleTimeoutMs: 1000 }
const BACKOFF = { initialBackoffMs: 1, maxBackoffMs: 20 }

export const NETWORK_TRANSPORTS: Readonly<Record<string, NetworkTransport>> = {
  http2: {
    listen: (port) => listenHttp2({ ...LIMITS, port }),
    connect: (address) => connectHttp2(address, { ...LIMITS, ...BACKOFF }),
  },
  quic: {
    listen: (port, tls) => listenQuic({ ...QUIC, tls, port }),
    connect: (address, { cert }) => connectQuic(address, { ...QUIC, ...BACKOFF, tls: { ca: cert } }),
  },
}

/** The port of an address of either of them. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
