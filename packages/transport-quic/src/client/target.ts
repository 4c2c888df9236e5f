import { isIPv6 } from 'node:net'
import { RpcError } from '@qrpc/core'

/** Where a connector connects to. */
export interface Target {
  /** As it was given. */
  readonly address: string
  /** A name or an IP address. */
  readonly host: string
  readonly port: number
}

const ADDRESS = /^quic:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^/:?#@[\]\s]+)):(\d{1,5})\/?$/

/**
 * Reads an address: `quic://host:port`.
 *
 * @throws RpcError `invalid_argument` for any other.
 */
export function parseTarget(address: string): Target {
  const parts = ADDRESS.exec(address)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new RpcError('invalid_argument', `the address ${JSON.stringify(address)}: give quic://host:port`)
  }
  return { address, host, port }
}

/** A host and port as addresses have them. */
export function hostAndPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
