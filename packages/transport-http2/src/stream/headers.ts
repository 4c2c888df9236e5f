import type { IncomingHttpHeaders } from 'node:http2'

/** What marks a request or response as qrpc's. */
export const CONTENT_TYPE = 'application/qrpc+cbor'

// Methods whose paths are kept: a contract has far fewer, and channels opened by hand may name any.
const MOST_KEPT = 1000

const paths = new Map<string, string>()
const methods = new Map<string, string>()

/** The path of the request for a method; `/` for a channel that was opened by hand. */
export function pathOf(method: string | undefined): string {
  if (method === undefined) return '/'
  const kept = paths.get(method)
  if (kept !== undefined) return kept
  const text = (method as string & { toWellFormed(): string }).toWellFormed()
  const path = `/${encodeURI(text).replaceAll('?', '%3F').replaceAll('#', '%23')}`
  if (paths.size < MOST_KEPT) paths.set(method, path)
  return path
}

/** The method that a path is for; `undefined` for `/`. */
export function methodOf(path: string): string | undefined {
  if (path === '/') return undefined
  const kept = methods.get(path)
  if (kept !== undefined) return kept
  const method = decode(path.slice(1))
  if (methods.size < MOST_KEPT && path.length < 256) methods.set(path, method)
  return method
}

/**
 * Whether a request is qrpc's, by its method and content type. For servers that have other routes beside it.
 *
 * @example `server.on('request', (req, res) => isQrpcRequest(req.headers) || app(req, res))`
 */
export function isQrpcRequest(headers: IncomingHttpHeaders): boolean {
  return headers[':method'] === 'POST' && headers['content-type'] === CONTENT_TYPE
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
