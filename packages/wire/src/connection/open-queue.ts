import { RpcError } from '@qrpc/core'

interface Waiting {
  readonly admit: () => void
  readonly refuse: (error: RpcError) => void
}

/** The line of those that wait for a place among the streams of a connection: first come, first served. */
export class OpenQueue {
  readonly #waiting = new Set<Waiting>()

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Resolves with what `open` gives once it is this one's turn.
   *
   * @throws RpcError (as a rejection) `cancelled`, or the signal's reason, when it aborts; what {@link refuse} is given.
   */
  wait<T>(open: () => T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) return Promise.reject(openAborted(signal))
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        leave()
        reject(openAborted(signal as AbortSignal))
      }
      const waiting: Waiting = {
        admit() {
          leave()
          try {
            resolve(open())
          } catch (error) {
            reject(RpcError.from(error, 'internal'))
          }
        },
        refuse(error) {
          leave()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /** Lets those in front in while `hasRoom` says that there is room. */
  admit(hasRoom: () => boolean): void {
    for (const waiting of this.#waiting) {
      if (!hasRoom()) return
      waiting.admit()
    }
  }

  /** Refuses all that wait. */
  refuse(error: RpcError): void {
    for (const waiting of this.#waiting) waiting.refuse(error)
  }
}

/** Why an open ended that was aborted while it waited. */
export function openAborted(signal: AbortSignal): RpcError {
  if (signal.reason instanceof RpcError) return signal.reason
  return new RpcError('cancelled', 'the open was aborted while it waited', { cause: signal.reason })
}
