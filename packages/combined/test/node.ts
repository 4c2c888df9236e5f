import {
  type Channel,
  type Connector,
  type OpenOptions,
  RpcError,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'

export const Who = service('who', {
  /** Tells which server has answered. */
  name: unary<void, string>(),
  names: serverStreaming<void, string>(),
  /** Answers when it is released. */
  hold: unary<void, string>(),
})

/** A server that tells its name, and its connector. */
export function node(name: string) {
  const { connector, listener, listen } = createMemoryTransport({ name })
  let release!: () => void
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let calls = 0
  const handlers = {
    name: () => {
      calls++
      return name
    },
    names: () => [name, name],
    async hold() {
      calls++
      await released
      return name
    },
  }
  let server = serve(Who, handlers, listener)
  return {
    connector,
    release,
    /** How many calls have reached it. */
    calls: () => calls,
    stop: () => server.close({ graceMs: 0 }),
    start() {
      server = serve(Who, handlers, listen())
    },
  }
}

type OpenOne = (options: OpenOptions | undefined) => Channel | Promise<Channel>

/** A connector that opens channels as a test has it. */
export class ScriptedConnector implements Connector {
  readonly address: string
  /** What it was asked for, one entry an open. */
  readonly opens: (OpenOptions | undefined)[] = []
  closed = false
  readonly #open: OpenOne

  constructor(address: string, open: OpenOne) {
    this.address = address
    this.#open = open
  }

  open(options?: OpenOptions): Channel | Promise<Channel> {
    this.opens.push(options)
    return this.#open(options)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Connects to nothing, and never says so. */
export function hanging(address: string): ScriptedConnector {
  return new ScriptedConnector(address, () => new Promise<never>(() => {}))
}

/** Cannot be reached, as it finds out in a while. */
export function failing(address: string): ScriptedConnector {
  return new ScriptedConnector(address, async () => {
    throw new RpcError('unavailable', `nobody is at ${address}`)
  })
}
