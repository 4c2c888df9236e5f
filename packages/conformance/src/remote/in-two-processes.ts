import type { Connector } from '@qrpc/core'
import type { SetupOptions, TransportUnderTest } from '../transport.ts'
import { ListenerProcess, type ListenerProcessOptions } from './listener-process.ts'

/** A transport whose listener is in another process. */
export interface TwoProcessesOptions extends ListenerProcessOptions {
  /** A connector, in this process, to a listener that is reached at the addresses. */
  readonly connect: (addresses: readonly string[], options: SetupOptions) => Connector | Promise<Connector>
}

/**
 * Runs the cases with the transport's client in this process and its server in another: all but the `capabilities` that
 * `describeTransport` needs. The closures of a case, handlers too, stay here; the listener there is relayed, one process
 * for all cases, a fresh listener for each. A case fails also for handles and rejections that are left there.
 *
 * Messages cross between the processes by structured clone, so a handler's values arrive at the transport as plain data:
 * what the transport makes of values that it does not carry is for the cases in one process to see.
 *
 * @example
 * ```ts
 * describeTransport('tcp, in two processes', {
 *   ...inTwoProcesses({
 *     module: new URL('./tcp-listener-process.ts', import.meta.url), // it calls `relayListener`
 *     execArgv: ['--import', 'tsx'],
 *     connect: ([address], options) => connectTcp(address as string, options),
 *   }),
 *   capabilities: { window: 64, restart: true, maxConcurrentStreams: true, kill: true },
 * })
 * ```
 */
export function inTwoProcesses({
  connect,
  ...process
}: TwoProcessesOptions): Required<Pick<TransportUnderTest, 'start' | 'stop' | 'setup'>> {
  const listeners = new ListenerProcess(process)
  return {
    start: () => listeners.start(),
    stop: () => listeners.close(),
    async setup(options) {
      const listener = await listeners.listen(options)
      const { addresses } = listener
      return {
        connector: await connect(addresses, options),
        listener,
        restart: () => listeners.listen({ ...options, addresses }),
        kill: () => listeners.kill(),
        synchronize: () => listeners.synchronize(),
        teardown: () => listeners.release(),
      }
    },
  }
}
