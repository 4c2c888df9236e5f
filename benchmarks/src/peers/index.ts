import type { Peer } from './peer.ts'

/** What a peer's messages travel over. */
type Transport = 'in process' | 'http2' | 'quic' | 'tcp' | 'websocket'

/** A peer's place in the suite. */
export interface PeerEntry {
  readonly title: string
  readonly transport: Transport
  /** Whether connections are encrypted. */
  readonly tls?: boolean
  /** Its module, which only the processes that need it load. */
  readonly load: () => Promise<{ default: Peer }>
}

/** All peers, by the name that `--peer` takes. */
export const peers: Readonly<Record<string, PeerEntry>> = {
  bare: { title: 'bare async call or generator', transport: 'in process', load: () => import('./in-process/bare.ts') },
  'hand-written-queue': {
    title: 'hand-written queue',
    transport: 'in process',
    load: () => import('./in-process/hand-written-queue.ts'),
  },
  'qrpc-mem': { title: 'qrpc mem', transport: 'in process', load: () => import('./in-process/qrpc-mem.ts') },
  'message-channel': {
    title: 'MessageChannel',
    transport: 'in process',
    load: () => import('./in-process/message-channel.ts'),
  },
  comlink: { title: 'comlink', transport: 'in process', load: () => import('./in-process/comlink.ts') },
  birpc: { title: 'birpc', transport: 'in process', load: () => import('./in-process/birpc.ts') },
  'raw-http2': {
    title: 'raw node:http2',
    transport: 'http2',
    load: () => import('./raw-http2/peer.ts'),
  },
  'qrpc-http2': { title: 'qrpc http2', transport: 'http2', load: () => import('./qrpc/http2.ts') },
  'raw-http2-calls': {
    title: 'raw node:http2, calls over one stream',
    transport: 'http2',
    load: () => import('./raw-http2/calls.ts'),
  },
  'qrpc-http2-streams': {
    title: 'qrpc http2, a stream per call',
    transport: 'http2',
    load: () => import('./qrpc/http2-streams.ts'),
  },
  'qrpc-http2-tls': {
    title: 'qrpc http2, TLS',
    transport: 'http2',
    tls: true,
    load: () => import('./qrpc/http2-tls.ts'),
  },
  'qrpc-http2-tls-streams': {
    title: 'qrpc http2, TLS, a stream per call',
    transport: 'http2',
    tls: true,
    load: () => import('./qrpc/http2-tls-streams.ts'),
  },
  'qrpc-combined': {
    title: 'qrpc combined, one http2 member',
    transport: 'http2',
    load: () => import('./qrpc/combined.ts'),
  },
  'qrpc-quic': { title: 'qrpc quic', transport: 'quic', tls: true, load: () => import('./qrpc/quic.ts') },
  'qrpc-quic-streams': {
    title: 'qrpc quic, a stream per call',
    transport: 'quic',
    tls: true,
    load: () => import('./qrpc/quic-streams.ts'),
  },
  'quic-pump': {
    title: 'bare pump on quiche',
    transport: 'quic',
    tls: true,
    load: () => import('./quic-pump/peer.ts'),
  },
  'matrixai-quic': {
    title: '@matrixai/quic, its own classes',
    transport: 'quic',
    tls: true,
    load: () => import('./matrixai-quic.ts'),
  },
  'grpc-js': { title: '@grpc/grpc-js', transport: 'http2', load: () => import('./grpc-js.ts') },
  'nice-grpc': { title: 'nice-grpc', transport: 'http2', load: () => import('./nice-grpc.ts') },
  'connect-node': { title: '@connectrpc/connect-node', transport: 'http2', load: () => import('./connect-node.ts') },
  'trpc-ws': { title: 'tRPC over WebSocket', transport: 'websocket', load: () => import('./trpc-ws.ts') },
  'capnweb-ws': { title: 'capnweb over WebSocket', transport: 'websocket', load: () => import('./capnweb-ws.ts') },
  'orpc-ws': { title: 'oRPC over WebSocket', transport: 'websocket', load: () => import('./orpc-ws.ts') },
  'raw-tcp': { title: 'raw TCP with CBOR', transport: 'tcp', load: () => import('./raw-tcp/peer.ts') },
}

/** @throws Error for a name that no peer has. */
export function peerEntry(name: string): PeerEntry {
  const entry = Object.hasOwn(peers, name) ? peers[name] : undefined
  if (entry === undefined) throw new Error(`there is no peer "${name}"`)
  return entry
}
