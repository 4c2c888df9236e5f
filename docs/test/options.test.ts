import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const HTTP2 = 'packages/transport-http2/src'
const QUIC = 'packages/transport-quic/src'

/** The options that an interface declares. */
function optionsOf(file: string, name: string): string[] {
  const source = readFileSync(root + file, 'utf8')
  const body = source.split(new RegExp(`export interface ${name}\\b[^{]*\\{\\n`))[1]?.split('\n}\n')[0] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option as string)
}

test.each([
  ['mem.md', 'packages/transport-mem/src/memory-transport.ts', 'MemoryTransportOptions'],
  ['http2.md', `${HTTP2}/options.ts`, 'Http2Options'],
  ['http2.md', `${HTTP2}/client/connect-http2.ts`, 'Http2ConnectOptions'],
  ['http2.md', `${HTTP2}/server/listen-http2.ts`, 'Http2ListenOptions'],
  ['http2.md', 'packages/wire/src/wire-format.ts', 'WireOptions'],
  ['http2.md', 'packages/wire/src/frame/frame.ts', 'FrameLimits'],
  ['http2.md', 'packages/wire/src/cbor/limits.ts', 'CborLimits'],
  ['http2.md', 'packages/wire/src/connection/backoff.ts', 'BackoffOptions'],
  ['quic.md', `${QUIC}/options.ts`, 'QuicOptions'],
  ['quic.md', `${QUIC}/client/connect-quic.ts`, 'QuicConnectOptions'],
  ['quic.md', `${QUIC}/server/listen-quic.ts`, 'QuicListenOptions'],
])('docs/%s names each option of %s %s', (page, file, name) => {
  const options = optionsOf(file, name)
  expect(options.length).toBeGreaterThan(0)
  const text = readFileSync(`${root}docs/${page}`, 'utf8')
  expect(options.filter((option) => !text.includes(`\`${option}\``))).toEqual([])
})
