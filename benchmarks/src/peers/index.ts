import type { Peer } from './peer.ts'

/** What a peer's messages travel over. */
export type Transport = 'in process' | 'http2' | 'quic' | 'tcp' | 'websocket'

/** A peer's place in the suite. */
export interface PeerEntry {
  readonly title: string
  readonly transport: Transport
  /** Whether connections are encrypted. */
  readonly tls?: boolean
  /** Its module, which only the processes that need it load. */
  load(): Promise<{ default: Peer }>
}

/** All peers, by the name that `--peer` takes. */
export const peers: Readonly<Record<string, PeerEntry>> = {
  'raw-http2': {
    title: 'raw node:http2',
    transport: 'http2',
    load: () => import('./raw-http2/peer.ts'),
  },
  'qrpc-http2': { title: 'qrpc http2', transport: 'http2', load: () => import('./qrpc/http2.ts') },
  'qrpc-http2-tls': {
    title: 'qrpc http2, TLS',
    transport: 'http2',
    tls: true,
    load: () => import('./qrpc/http2-tls.ts'),
  },
  'qrpc-quic': { title: 'qrpc quic', transport: 'quic', tls: true, load: () => import('./qrpc/quic.ts') },
  'grpc-js': { title: '@grpc/grpc-js', transport: 'http2', load: () => import('./grpc-js.ts') },
  'connect-node': { title: '@connectrpc/connect-node', transport: 'http2', load: () => import('./connect-node.ts') },
}

/** @throws Error for a name that no peer has. */
export function peerEntry(name: string): PeerEntry {
  const entry = Object.hasOwn(peers, name) ? peers[name] : undefined
  if (entry === undefined) throw new Error(`there is no peer "${name}"`)
  return entry
}
