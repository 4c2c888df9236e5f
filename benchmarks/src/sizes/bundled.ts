import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { build } from 'esbuild'

/** What a bundle takes. */
export interface Bundled {
  readonly minified: number
  readonly gzipped: number
}

/** The module and all that it imports, in one file for Node.js; native code stays outside. */
export async function bundledSize(module: string): Promise<Bundled> {
  const { outputFiles } = await build({
    entryPoints: [module],
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@matrixai/quic-*', 'cbor-extract'],
    logLevel: 'error',
  })
  const contents = outputFiles[0]?.contents ?? new Uint8Array(0)
  return { minified: contents.length, gzipped: (await promisify(gzip)(contents)).length }
}
