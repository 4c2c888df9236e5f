import { fileURLToPath } from 'node:url'
import { type Bundled, bundledSize } from './bundled.ts'
import { type Installed, installedSize } from './installed.ts'

/** What an app with one way to do RPC, client and server in one, takes. */
export interface Size extends Bundled, Installed {
  readonly peer: string
}

interface App {
  /** Its adapter: an app of two dozen lines that serves and calls all it can. */
  readonly module: string
  /** What its author installs. */
  readonly packages: readonly string[]
}

const APPS: Readonly<Record<string, App>> = {
  'qrpc-mem': { module: 'in-process/qrpc-mem', packages: ['@qrpc/core', '@qrpc/transport-mem'] },
  'qrpc-http2': { module: 'qrpc/http2', packages: ['@qrpc/core', '@qrpc/transport-http2'] },
  'qrpc-quic': { module: 'qrpc/quic', packages: ['@qrpc/core', '@qrpc/transport-quic'] },
  'qrpc-combined': {
    module: 'qrpc/combined',
    packages: ['@qrpc/core', '@qrpc/combined', '@qrpc/transport-http2'],
  },
  'matrixai-quic': { module: 'matrixai-quic', packages: ['@matrixai/quic'] },
  'grpc-js': { module: 'grpc-js', packages: ['@grpc/grpc-js', '@grpc/proto-loader'] },
  'nice-grpc': { module: 'nice-grpc', packages: ['nice-grpc', '@grpc/proto-loader'] },
  'connect-node': {
    module: 'connect-node',
    packages: ['@connectrpc/connect', '@connectrpc/connect-node', '@bufbuild/protobuf'],
  },
  'trpc-ws': { module: 'trpc-ws', packages: ['@trpc/client', '@trpc/server', 'ws'] },
  'capnweb-ws': { module: 'capnweb-ws', packages: ['capnweb', 'ws'] },
  'orpc-ws': { module: 'orpc-ws', packages: ['@orpc/client', '@orpc/server', 'ws'] },
  comlink: { module: 'in-process/comlink', packages: ['comlink'] },
  birpc: { module: 'in-process/birpc', packages: ['birpc'] },
}

/** The sizes of all apps of which nobody is left out. */
export async function measureSizes(isWanted: (peer: string) => boolean): Promise<Size[]> {
  const sizes: Size[] = []
  for (const [peer, { module, packages }] of Object.entries(APPS)) {
    if (!isWanted(peer)) continue
    const bundled = await bundledSize(fileURLToPath(new URL(`../peers/${module}.js`, import.meta.url)))
    sizes.push({ peer, ...bundled, ...installedSize(packages, import.meta.dirname) })
  }
  return sizes
}
