import {
  type Client,
  createClient,
  type ErrorSource,
  type Handlers,
  RpcError,
  type ServeOptions,
  type Server,
  serve,
} from '@qrpc/core'
import { Kit, type KitContract } from './contract.ts'
import type { SetupOptions, TestBed, TransportUnderTest } from './transport.ts'

/** An error that the server reported. */
export interface Reported {
  readonly error: unknown
  readonly source: ErrorSource
}

/** What a case works with: the transport's bed, and the kit's service on it. */
export class CaseBed {
  readonly transport: TransportUnderTest
  readonly bed: TestBed
  readonly client: Client<KitContract>
  /** What the servers of this case reported. */
  readonly reported: Reported[] = []
  readonly servers: Server[] = []

  private constructor(transport: TransportUnderTest, bed: TestBed) {
    this.transport = transport
    this.bed = bed
    this.client = createClient(Kit, bed.connector)
  }

  static async make(transport: TransportUnderTest, options: SetupOptions): Promise<CaseBed> {
    return new CaseBed(transport, await transport.setup(options))
  }

  /** Serves the kit's contract with these handlers; the others are `unimplemented`. */
  serve(handlers: Partial<Handlers<KitContract>>, options?: ServeOptions, listener = this.bed.listener): Server {
    const onError = (error: unknown, source: ErrorSource): number => this.reported.push({ error, source })
    const server = serve(Kit, { ...UNIMPLEMENTED, ...handlers }, listener, { onError, ...options })
    this.servers.push(server)
    return server
  }

  /** Resolves once what was done to the listener or its channels is in effect, so that what a client does comes after it. */
  async synchronize(): Promise<void> {
    await this.bed.synchronize?.()
  }

  async close(): Promise<void> {
    await this.bed.connector.close()
    for (const server of this.servers) await server.close({ graceMs: 0 })
    await this.bed.listener.close({ graceMs: 0 })
    await this.bed.teardown?.()
  }
}

function unimplemented(): never {
  throw new RpcError('unimplemented', 'the case has no handler for this')
}

const UNIMPLEMENTED: Handlers<KitContract> = {
  call: unimplemented,
  any: unimplemented,
  nothing: unimplemented,
  collect: unimplemented,
  produce: unimplemented,
  voids: unimplemented,
  talk: unimplemented,
  tell: unimplemented,
  declared: unimplemented,
  checked: unimplemented,
  checkedUpdates: unimplemented,
  inner: { inner: { echo: unimplemented } },
}
