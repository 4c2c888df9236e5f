import { type OpenOptions, RpcError } from '@qrpc/core'
import type { Policy } from '../policy.ts'

/** What is known of a call when its channel is opened. A channel opened by hand may tell less. */
export type RoutedCall = Pick<OpenOptions, 'method' | 'pattern' | 'metadata'>

/**
 * Each call by the member that `choose` names: by method, pattern or metadata.
 *
 * @example `combineConnectors({ small: quic, bulk: http2 }, route(({ pattern }) => (pattern === 'unary' ? 'small' : 'bulk')))`
 * @throws RpcError (when a channel is opened) `unavailable` for a name that is not configured.
 */
export function route(choose: (call: RoutedCall) => string): Policy {
  return (members) => {
    const byName = new Map(members.map((member) => [member.name, member.connector]))
    return (options = {}) => {
      const name = choose(options)
      const connector = byName.get(name)
      if (connector === undefined) {
        const known = [...byName.keys()].join(', ')
        throw new RpcError(
          'unavailable',
          `${options.method ?? 'a channel'} is routed to "${name}", but there is only ${known}`,
        )
      }
      return connector.open(options)
    }
  }
}
