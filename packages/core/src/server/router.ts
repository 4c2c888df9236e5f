import type { Channel } from '../channel/channel.ts'
import { type AnyService, isService } from '../contract/service.ts'
import { Deadline } from '../deadline.ts'
import { RpcError } from '../error.ts'
import { chain, type InterceptedNext, type Interceptor } from '../interceptor/interceptor.ts'
import { type Request, readRequest } from '../request.ts'
import { AbandonedCalls } from './abandoned-calls.ts'
import type { Handlers } from './handlers.ts'
import { handlerAtEnd } from './intercepted-handler.ts'
import { guarded, printUnexpected, type ReportError } from './report.ts'
import { type Route, routes } from './route.ts'
import { runCall } from './run.ts'
import { ServerCall } from './server-call.ts'

/** How calls are served. */
export interface ServeOptions {
  /** What each call goes through, the first one outermost. Default: nothing. */
  readonly interceptors?: readonly Interceptor[]
  /**
   * Told of what handlers threw that is no `RpcError` (the client sees `internal`), of responses that cannot be sent, of
   * unknown methods, and of channels that brought no request or more than one. Default: `console.error` for what handlers
   * threw and what cannot be sent.
   */
  readonly onError?: ReportError
  /** How long an accepted channel may take to bring its request, in ms. Default: 10000. Sane: 1000 to 60000. */
  readonly requestTimeout?: number
  /**
   * Handlers of one client that may run on though their calls are over: cancelled, or past their deadlines. Beyond it
   * its calls fail with `resource_exhausted` until some have ended. Default: 1000. Sane: as `maxConcurrentStreams`.
   */
  readonly maxAbandonedCalls?: number
}

/** Serves the calls of channels, wherever these come from. */
export interface Router {
  /** Reads the channel's request and answers it. Never throws; the channel's troubles end with the channel. */
  handle(channel: Channel): void
  /** Answers a request that was read from the channel by hand, with `readRequest`. */
  dispatch(channel: Channel, request: Request): void
}

/**
 * A router for a contract, to serve by hand: `for await (const channel of listener) router.handle(channel)`.
 *
 * @throws RpcError `invalid_argument` that names the handler that is missing, or that the contract does not have.
 */
export function createRouter<S extends AnyService>(
  contract: S,
  handlers: Handlers<S>,
  options: ServeOptions = {},
): Router {
  if (!isService(contract)) throw new RpcError('invalid_argument', 'a router needs a contract made by service()')
  return new ContractRouter(routes(contract, handlers), options)
}

class ContractRouter implements Router {
  private readonly routes: ReadonlyMap<string, Route>
  private readonly interceptors: readonly Interceptor[]
  private readonly report: ReportError
  private readonly requestTimeout: number
  private readonly maxAbandonedCalls: number
  private readonly abandoned: AbandonedCalls

  constructor(served: ReadonlyMap<string, Route>, options: ServeOptions) {
    this.routes = served
    this.interceptors = options.interceptors ?? []
    this.report = guarded(options.onError ?? printUnexpected)
    this.requestTimeout = options.requestTimeout ?? 10_000
    this.maxAbandonedCalls = options.maxAbandonedCalls ?? 1000
    this.abandoned = new AbandonedCalls(this.maxAbandonedCalls)
  }

  handle(channel: Channel): void {
    try {
      const request = readRequest(channel)
      if (request instanceof Promise) this.handleLater(channel, request)
      else this.dispatch(channel, request)
    } catch (error) {
      this.refuse(channel, RpcError.from(error, 'internal'), undefined)
    }
  }

  dispatch(channel: Channel, request: Request): void {
    const route = this.routes.get(request.method)
    if (route === undefined) {
      this.refuse(channel, new RpcError('unimplemented', `there is no method "${request.method}" here`), request.method)
      return
    }
    if (this.abandoned.tooMany(channel.peer)) {
      const error = new RpcError(
        'resource_exhausted',
        `${this.maxAbandonedCalls} cancelled calls of this client still run (maxAbandonedCalls)`,
      )
      this.refuse(channel, error, request.method)
      return
    }
    const call = new ServerCall(channel, request, route, this.report, this.abandoned)
    runCall(call, this.interceptors.length > 0 ? this.through(call) : undefined)
  }

  private through(call: ServerCall): InterceptedNext {
    return chain(this.interceptors, handlerAtEnd(call), (message) => new TypeError(message))
  }

  /** A channel whose request is on its way: it has its own time for that and holds up nobody else. */
  private handleLater(channel: Channel, arriving: Promise<Request>): void {
    const timer = new Deadline(this.requestTimeout, () => {
      channel.cancel(new RpcError('deadline_exceeded', `no request came within ${this.requestTimeout} ms`))
    })
    arriving
      .finally(() => timer.clear())
      .then(
        (request) => this.dispatch(channel, request),
        (error) => this.refuse(channel, RpcError.from(error, 'internal'), undefined),
      )
  }

  private refuse(channel: Channel, error: RpcError, method: string | undefined): void {
    this.report(error, { method, peer: channel.peer })
    channel.end(error)
    channel.stop(error)
  }
}
