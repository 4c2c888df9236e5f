import { type CloseOptions, type Handlers, RpcError, type Server } from '@qrpc/core'
import type { HealthContract, HealthReply, HealthRequest, ServingStatus } from './contract.ts'
import { StatusWatch } from './status-watch.ts'

// The name of the server as a whole, as in gRPC.
const WHOLE = ''

/**
 * What a server tells of its health: the handlers of {@link Health}, and the statuses, which the app sets. The server as a
 * whole is `serving` from the start.
 *
 * @example
 * ```ts
 * const health = new ServerHealth()
 * await using server = health.drainWith(serve(Node, { health, compute }, listener))
 * health.set('compute', 'serving')
 * ```
 */
export class ServerHealth implements Handlers<HealthContract> {
  readonly #statuses = new Map<string, ServingStatus>([[WHOLE, 'serving']])
  readonly #watches = new Set<StatusWatch>()
  #draining = false
  #closing = false

  /**
   * Sets the status of a service. While the server drains it is kept to itself.
   *
   * @param service Any name, which clients then ask for. Empty: the server as a whole.
   */
  set(service: string, status: ServingStatus): void {
    this.#statuses.set(service, status)
    this.#update()
  }

  /** The status as clients see it. Default: of the server as a whole. */
  status(service: string = WHOLE): ServingStatus {
    const status = this.#statuses.get(service) ?? 'service_unknown'
    return this.#draining && status === 'serving' ? 'not_serving' : status
  }

  /**
   * Tells everybody `not_serving` from now on, of all services, while calls are still served: so that a load balancer
   * sends no new ones. There is no way back.
   */
  drain(): void {
    this.#draining = true
    this.#update()
  }

  /** The server with a `close` that drains first, and ends the streams of watchers, which would hold it up. */
  drainWith(server: Server): Server {
    const close = (options?: CloseOptions): Promise<void> => {
      this.#closing = true
      this.drain()
      for (const watch of this.#watches) watch.end()
      return server.close(options)
    }
    return {
      get addresses() {
        return server.addresses
      },
      close,
      [Symbol.asyncDispose]: () => close(),
    }
  }

  /** The handler of `Health.check`. */
  check(request: HealthRequest | undefined): HealthReply {
    const service = request?.service ?? WHOLE
    const status = this.status(service)
    if (status === 'service_unknown') throw new RpcError('not_found', 'no service of that name is known here')
    return { status }
  }

  /** The handler of `Health.watch`. */
  watch(request: HealthRequest | undefined): AsyncIterable<HealthReply> {
    const service = request?.service ?? WHOLE
    const watch = new StatusWatch(
      () => this.status(service),
      () => this.#watches.delete(watch),
    )
    this.#watches.add(watch)
    if (this.#closing) watch.end()
    return watch
  }

  #update(): void {
    for (const watch of this.#watches) watch.update()
  }
}
