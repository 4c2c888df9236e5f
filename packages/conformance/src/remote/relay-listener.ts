import type { Listener } from '@qrpc/core'
import type { RelayOptions, Report } from './messages.ts'
import { Relay } from './relay.ts'

/**
 * Serves the listeners of this process to the one that forked it, with `inTwoProcesses` or `ListenerProcess`. It is the
 * only thing that the forked module has to do. The process ends with the one that forked it.
 *
 * @param listen Makes a listener: at `options.addresses` where that is given, else anywhere.
 * @throws Error in a process that was not forked.
 * @example
 * ```ts
 * relayListener(({ addresses, maxConcurrentStreams }) => listenTcp({ address: addresses?.[0], maxConcurrentStreams }))
 * ```
 */
export function relayListener<Settings = unknown>(
  listen: (options: RelayOptions<Settings>) => Listener | Promise<Listener>,
): void {
  if (process.send === undefined) throw new Error('relayListener runs in a process that was forked')
  // Bound: `process.send` reads `this`, and a failure is told by `disconnect`.
  const send = process.send.bind(process)
  const relay = new Relay(listen as (options: RelayOptions) => Listener | Promise<Listener>, (report: Report) => {
    send(report, undefined, undefined, ignore)
  })
  process.on('message', (message) => relay.onMessage(message as Parameters<typeof relay.onMessage>[0]))
  process.on('unhandledRejection', (reason) => relay.onUnhandledRejection(reason))
  process.on('disconnect', () => process.exit())
  send({ type: 'ready' } satisfies Report)
}

function ignore(): void {}
