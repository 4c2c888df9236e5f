import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { outsideLinks } from './outside-links.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
const reference = join(docs, 'api/typedoc-sidebar.json')

const guide: DefaultTheme.SidebarItem[] = [
  {
    text: 'Start',
    items: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Patterns', link: '/patterns' },
      { text: 'Errors, deadlines, cancellation', link: '/errors' },
      { text: 'Schemas and typed errors', link: '/schemas' },
      { text: 'Backpressure', link: '/backpressure' },
      { text: 'Interceptors', link: '/interceptors' },
      { text: 'Testing your service', link: '/testing' },
      { text: 'Examples', link: '/examples' },
    ],
  },
  {
    text: 'Transports',
    items: [
      { text: 'Which transport', link: '/transports' },
      { text: 'mem', link: '/mem' },
      { text: 'HTTP/2', link: '/http2' },
      { text: 'QUIC', link: '/quic' },
      { text: 'Combined, and more machines', link: '/combined' },
      { text: 'TLS and mTLS', link: '/tls' },
      { text: 'Writing a transport', link: '/writing-a-transport' },
    ],
  },
  {
    text: 'In operation',
    items: [
      { text: 'Operating it', link: '/operating' },
      { text: 'Security', link: '/security' },
      { text: 'Proxies', link: '/proxies' },
      { text: 'Lanes', link: '/lanes' },
      { text: 'Codecs', link: '/codecs' },
      { text: 'Wire format', link: '/wire-format' },
      { text: 'Benchmarks', link: '/benchmarks' },
      { text: 'Soak', link: '/soak' },
    ],
  },
  {
    text: 'Coming from',
    items: [
      { text: 'quic-rpc and irpc', link: '/from-quic-rpc' },
      { text: 'gRPC and Connect', link: '/from-grpc' },
      { text: 'tRPC and oRPC', link: '/from-trpc' },
    ],
  },
  { text: 'FAQ', link: '/faq' },
  { text: 'API reference', link: '/api/' },
]

/** Pages that nobody has found a place for yet. */
function others(): DefaultTheme.SidebarItem[] {
  const listed = guide.flatMap(({ link, items }) => [link, ...(items ?? []).map((item) => item.link)])
  const links = readdirSync(docs)
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .map((name) => `/${name.slice(0, -3)}`)
    .filter((link) => !listed.includes(link))
  const items = links.map((link) => ({ text: titleOf(join(docs, `${link}.md`)), link }))
  return items.length > 0 ? [{ text: 'More', items }] : []
}

/** The modules of the reference, without what all their names begin with: there is little room. */
function modules(): DefaultTheme.SidebarItem[] {
  const items: DefaultTheme.SidebarItem[] = JSON.parse(readFileSync(reference, 'utf8'))
  return items.map((item) => ({ ...item, text: item.text?.replace('@qrpc/', '') ?? '' }))
}

function titleOf(file: string): string {
  return /^# (.*)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? file
}

export default defineConfig({
  title: 'qrpc',
  description: 'Streaming RPC for TypeScript on Node.js: one typed contract, from in-process to QUIC',
  srcExclude: ['examples/**', 'test/**'],
  lastUpdated: false,
  markdown: {
    config: (md) => md.use(outsideLinks, docs),
    theme: { light: 'github-light-high-contrast', dark: 'github-dark' },
    languageAlias: { haproxy: 'nginx' },
  },
  vite: {
    build: {
      // The index for the search is one chunk, which is loaded when somebody searches.
      chunkSizeWarningLimit: 2000,
      // Drawings are told by their names, to be made dark.
      assetsInlineLimit: 0,
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Transports', link: '/transports' },
      { text: 'Benchmarks', link: '/benchmarks' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/': [...guide, ...others()],
      '/api/': existsSync(reference) ? modules() : [],
    },
  },
})
