import type { IncomingHttpHeaders } from 'node:http2'

/** What marks a request or response as qrpc's. */
export const CONTENT_TYPE = 'application/qrpc+cbor'

/** The path of a lane; no method has it. */
export const LANE_PATH = '/?lane'

// Methods whose paths are kept: a contract has far fewer, and channels opened by hand may name any.
const MOST_KEPT = 1000
const LONGEST_KEPT = 256

const paths = new Map<string, string>()
const methods = new Map<string, string>()

/** The path of the request for a method; `/` for a channel that was opened by hand. */
export function pathOf(method: string | undefined): string {
  if (method === undefined) return '/'
  const kept = paths.get(method)
  if (kept !== undefined) return kept
  const path = encode((method as string & { toWellFormed(): string }).toWellFormed())
  keep(paths, method, path)
  return path
}

/**
 * The method that a path is for; `undefined` for `/`. Only the path that a client writes for a method counts: a proxy
 * that rules by the path does not know that `/a%2Fb` is `/a/b`.
 */
export function methodOf(path: string): string | undefined {
  if (path === '/' || path === LANE_PATH) return undefined
  const kept = methods.get(path)
  if (kept !== undefined) return kept
  const decoded = decode(path.slice(1))
  const method = encode(decoded) === path ? decoded : path.slice(1)
  keep(methods, path, method)
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

/** Emptied when it is full, so that a peer that makes up paths cannot fill it for good. */
function keep(kept: Map<string, string>, key: string, value: string): void {
  if (kept.size >= MOST_KEPT) kept.clear()
  if (key.length <= LONGEST_KEPT) kept.set(key, value)
}

/** @param method Well-formed. */
function encode(method: string): string {
  return `/${encodeURI(method).replaceAll('?', '%3F').replaceAll('#', '%23')}`
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
