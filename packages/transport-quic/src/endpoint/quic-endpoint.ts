import { RpcError } from '@qrpc/core'
import { loadBinding } from '../binding.ts'
import { checkInteger } from '../options.ts'
import { Endpoint } from './endpoint.ts'

/** Where a shared endpoint is. */
export interface QuicEndpointOptions {
  /** The address to bind. Default: 127.0.0.1. All interfaces: `0.0.0.0` or `::`. */
  readonly host?: string | undefined
  /** Default: 0, any port that is free. */
  readonly port?: number | undefined
}

const ENDPOINTS = new WeakMap<QuicEndpoint, Endpoint>()

/** A UDP socket for a listener and any number of connectors: a node of a network of peers. */
export class QuicEndpoint implements AsyncDisposable {
  /** Where it can be reached. */
  readonly host: string
  readonly port: number

  private constructor(endpoint: Endpoint) {
    const { host, port } = endpoint.local
    this.host = host
    this.port = port
    ENDPOINTS.set(this, endpoint)
  }

  /**
   * Binds the socket.
   *
   * @throws RpcError (as a rejection) `unavailable` when the address is taken or not this machine's.
   */
  static async bind({ host = '127.0.0.1', port = 0 }: QuicEndpointOptions = {}): Promise<QuicEndpoint> {
    checkInteger('port', port, 0, 65_535)
    return new QuicEndpoint(await Endpoint.bind(await loadBinding(), { host, port }))
  }

  /** Closes the socket, and what is left on it. Close its listener and connectors first. */
  async close(): Promise<void> {
    await ENDPOINTS.get(this)?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** What is behind a {@link QuicEndpoint}. @throws RpcError `failed_precondition` once it is closed. */
export function endpointOf(shared: QuicEndpoint): Endpoint {
  const endpoint = ENDPOINTS.get(shared)
  if (endpoint === undefined || endpoint.closed)
    throw new RpcError('failed_precondition', 'the QUIC endpoint was closed')
  return endpoint
}
