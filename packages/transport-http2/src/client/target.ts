import { RpcError } from '@qrpc/core'

/** Where a connector connects to. */
export interface Target {
  /** As it was given. */
  readonly address: string
  /** The `:scheme` and `:authority` of its requests, as a URL. */
  readonly authority: string
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** The path of a Unix socket. */
  readonly path: string | undefined
}

const UNIX = 'unix:'
const UNIX_TLS = 'unix+tls:'

/**
 * Reads an address: `http://host:port` (in the clear), `https://host:port` (TLS), `unix:/path` or `unix+tls:/path`.
 *
 * @throws RpcError `invalid_argument` for any other.
 */
export function parseTarget(address: string): Target {
  for (const prefix of [UNIX, UNIX_TLS]) {
    if (!address.startsWith(prefix)) continue
    const path = address.slice(prefix.length)
    if (path === '') throw wrong(address)
    const secure = prefix === UNIX_TLS
    const authority = `${secure ? 'https' : 'http'}://localhost`
    return { address, authority, secure, host: 'localhost', port: 0, path }
  }
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw wrong(address)
  if (url.pathname !== '/' || url.search !== '' || url.username !== '') throw wrong(address)
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  return { address, authority: url.origin, secure, host, port, path: undefined }
}

function wrong(address: string): RpcError {
  return new RpcError(
    'invalid_argument',
    `the address ${JSON.stringify(address)}: give http://host:port, https://host:port, unix:/path or unix+tls:/path`,
  )
}
