import type { Connector } from '../channel/channel.ts'
import type { Method } from '../contract/method.ts'
import { type AnyService, isService, serviceMembers } from '../contract/service.ts'
import { RpcError } from '../error.ts'
import { callOver, InterceptedConnector } from '../interceptor/intercepted-calls.ts'
import { chain, type Interceptor } from '../interceptor/interceptor.ts'
import {
  bidiStreaming,
  type Caller,
  type ClientFunction,
  clientStreaming,
  notify,
  serverStreaming,
  unary,
} from './call-functions.ts'
import type { Client } from './client-types.ts'

/** How a client makes its calls. */
export interface ClientOptions {
  /** What each call goes through, the first one outermost. Default: nothing. */
  readonly interceptors?: readonly Interceptor[]
}

const FUNCTIONS: { readonly [P in Method['pattern']]: (method: Method, caller: Caller) => ClientFunction } = {
  unary,
  clientStreaming,
  serverStreaming,
  bidiStreaming,
  notify,
}

/**
 * A plain object with a function a method and an object a nested service.
 *
 * Disposing of it (`await using`) closes the connector, which ends all calls that run over it; clients that share a
 * connector leave that to one of them, or to `connector.close()`.
 *
 * @param contract What the server serves, or a nested service of it (`Node.compute`).
 * @throws RpcError `invalid_argument` when `contract` is no contract.
 */
export function createClient<S extends AnyService>(
  contract: S,
  connector: Connector,
  options: ClientOptions = {},
): Client<S> & AsyncDisposable {
  if (!isService(contract)) throw new RpcError('invalid_argument', 'createClient needs a contract made by service()')
  const { interceptors = [] } = options
  const client = members(
    contract,
    interceptors.length > 0 ? intercepted(connector, interceptors) : { connector, through: undefined },
  )
  Object.defineProperty(client, Symbol.asyncDispose, { value: () => connector.close() })
  return client as Client<S> & AsyncDisposable
}

function intercepted(connector: Connector, interceptors: readonly Interceptor[]): Caller {
  const through = chain(interceptors, callOver(connector), (message) => new RpcError('internal', message))
  return { connector: new InterceptedConnector(connector, through), through }
}

function members(contract: AnyService, caller: Caller): object {
  const client: Record<string, unknown> = {}
  for (const [name, member] of serviceMembers(contract)) {
    if (isService(member)) client[name] = members(member, caller)
    else client[name] = Object.defineProperty(FUNCTIONS[member.pattern](member, caller), 'name', { value: name })
  }
  return client
}
