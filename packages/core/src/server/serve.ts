import type { CloseOptions, Listener } from '../channel/channel.ts'
import type { AnyService } from '../contract/service.ts'
import type { Handlers } from './handlers.ts'
import { createRouter, type ServeOptions } from './router.ts'

/** A contract that is being served. */
export interface Server extends AsyncDisposable {
  /** Where it can be reached. */
  readonly addresses: readonly string[]
  /**
   * Accepts no further calls, lets those that run go on for `graceMs` (default 5000), then aborts them, and always
   * resolves. It closes the listener, too.
   */
  close(options?: CloseOptions): Promise<void>
}

/**
 * Serves a contract to whoever reaches the listener, which from now on belongs to the server.
 *
 * @example `await using server = serve(Compute, { sqr: async (n) => n * n }, listener)`
 * @throws RpcError `invalid_argument` that names the handler that is missing or too many; `failed_precondition` when the
 * listener has a consumer already.
 */
export function serve<S extends AnyService>(
  contract: S,
  handlers: Handlers<S>,
  listener: Listener,
  options?: ServeOptions,
): Server {
  const router = createRouter(contract, handlers, options)
  listener.onChannel((channel) => router.handle(channel))
  const close = (closing?: CloseOptions): Promise<void> => listener.close(closing)
  return {
    get addresses() {
      return listener.addresses
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}
