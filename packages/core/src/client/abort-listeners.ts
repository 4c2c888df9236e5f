const listening = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Runs the callback when the signal aborts, until it is told to forget it. All calls that share a signal share one
 * listener: with one each, Node.js warns of a leak from the eleventh on, and takes time in the square of their number.
 */
export function listenForAbort(signal: AbortSignal, callback: () => void): void {
  const callbacks = listening.get(signal)
  if (callbacks !== undefined) {
    callbacks.add(callback)
    return
  }
  listening.set(signal, new Set([callback]))
  signal.addEventListener('abort', onAbort, { once: true })
}

/** Forgets the callback; a no-op when it is not there. */
export function forgetAbort(signal: AbortSignal, callback: () => void): void {
  const callbacks = listening.get(signal)
  if (callbacks === undefined || !callbacks.delete(callback) || callbacks.size > 0) return
  listening.delete(signal)
  signal.removeEventListener('abort', onAbort)
}

function onAbort(this: AbortSignal): void {
  const callbacks = listening.get(this) ?? []
  listening.delete(this)
  for (const callback of callbacks) callback()
}
