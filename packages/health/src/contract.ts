import { type Method, type PlainTypes, type Service, serverStreaming, service, type, unary } from '@qrpc/core'

/** Whether calls find a service ready. Of a service that the app never named nothing is known. */
export type ServingStatus = 'serving' | 'not_serving' | 'service_unknown'

/** What is asked. */
export interface HealthRequest {
  /** A service, by the name that the app gave it. Default: the server as a whole. */
  readonly service?: string | undefined
}

/** What is answered. */
export interface HealthReply {
  readonly status: ServingStatus
}

type HealthTypes = PlainTypes<HealthRequest | undefined, void, HealthReply>

/** The type of {@link Health}. */
export type HealthContract = Service<{
  check: Method<'unary', HealthTypes>
  watch: Method<'serverStreaming', HealthTypes>
}>

const schemas = {
  request: type<HealthRequest | undefined>(),
  response: type<HealthReply>(),
  idempotent: true,
} as const

/**
 * The health of a server, as gRPC has it. Make it a part of what is served:
 * `service('node', { health: Health, compute: Compute })`.
 *
 * - `check` answers at once, and fails with `not_found` for a service that the app never named.
 * - `watch` answers at once and then with each change, also for a service that is not known yet. It ends when the server closes.
 */
export const Health: HealthContract = service('health', { check: unary(schemas), watch: serverStreaming(schemas) })
