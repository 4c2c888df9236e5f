import type { Listener } from '@qrpc/core'
import { CombinedListener, type ListenerError } from './combined-listener.ts'

/** What is combined: a list, or an object whose keys are the names. What is not configured may be `undefined`. */
export type Listeners = readonly (Listener | undefined)[] | Readonly<Record<string, Listener | undefined>>

/** How listeners are combined. */
export interface CombineListenersOptions {
  /** Hears of a listener that has failed, by its name; the others go on. Default: `console.error`. */
  readonly onError?: ListenerError | undefined
}

/**
 * Several listeners as one, which closes them all: one server accepts from all of them.
 *
 * @example `serve(contract, handlers, combineListeners({ http2: await listenHttp2(), mem: listener }))`
 */
export function combineListeners(listeners: Listeners, options: CombineListenersOptions = {}): Listener {
  const entries = Array.isArray(listeners)
    ? (listeners as readonly (Listener | undefined)[]).map(
        (listener) => [listener?.addresses[0] ?? '', listener] as const,
      )
    : Object.entries(listeners as Readonly<Record<string, Listener | undefined>>)
  const members = entries.flatMap(([name, listener]) => (listener === undefined ? [] : [{ name, listener }]))
  return new CombinedListener(members, options.onError ?? report)
}

function report(error: unknown, name: string): void {
  console.error(`qrpc: the listener ${name} has failed`, error)
}
