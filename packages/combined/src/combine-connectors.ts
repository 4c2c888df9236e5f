import { type Connector, RpcError } from '@qrpc/core'
import type { CircuitOptions } from './circuit.ts'
import { CombinedConnector } from './combined-connector.ts'
import { CombinedMember } from './member.ts'
import { first } from './policies/first.ts'
import type { Policy } from './policy.ts'

/** What is combined: a list, or an object whose keys are the names. What is not configured may be `undefined`. */
export type Connectors = readonly (Connector | undefined)[] | Readonly<Record<string, Connector | undefined>>

/**
 * Several connectors as one, which closes them all. Combined connectors can be combined again.
 *
 * @param policy Which of them opens a channel. Default: {@link first}, the first that is configured.
 * @param options How long a member that cannot be reached is left alone, for policies that mind.
 * @example `combineConnectors([useQuic ? quic : undefined, http2])`
 * @example `combineConnectors({ quic, http2 }, race())`
 * @throws RpcError `invalid_argument` for options that make no sense. With nothing configured each open is `unavailable`.
 */
export function combineConnectors(
  connectors: Connectors,
  policy: Policy = first(),
  options: CircuitOptions = {},
): CombinedConnector {
  const entries = Array.isArray(connectors)
    ? (connectors as readonly (Connector | undefined)[]).map(
        (connector) => [connector?.address ?? '', connector] as const,
      )
    : Object.entries(connectors as Readonly<Record<string, Connector | undefined>>)
  const members = entries.flatMap(([name, connector]) =>
    connector === undefined ? [] : [new CombinedMember(name, connector, options)],
  )
  return new CombinedConnector(members, members.length === 0 ? nothingConfigured(entries.length) : policy(members))
}

function nothingConfigured(count: number): () => never {
  return () => {
    throw new RpcError('unavailable', `no connector is configured: none of the ${count} that were combined is there`)
  }
}
