import { RpcError } from '../error.ts'

// One for all calls: to make an error is dear, and this one only ends what nobody waits for any more.
export const CALL_OVER: RpcError = new RpcError('cancelled', 'the call is over')

/** An abort signal that is made when somebody looks at it: to make, hear and abort one costs many times a call. */
export class LazySignal {
  #reason: RpcError | undefined = undefined
  #controller: AbortController | undefined = undefined
  #callbacks: Set<(reason: RpcError) => void> | undefined = undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Aborts it, unless it is aborted. */
  abort(reason: RpcError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    if (this.#callbacks === undefined) return
    for (const callback of this.#callbacks) callback(reason)
    this.#callbacks = undefined
  }

  /**
   * Runs the callback when it aborts, at once when it is aborted.
   *
   * @returns A function that ends that.
   */
  onAbort(callback: (reason: RpcError) => void): () => void {
    if (this.#reason !== undefined) callback(this.#reason)
    else {
      this.#callbacks ??= new Set()
      this.#callbacks.add(callback)
    }
    return () => this.#callbacks?.delete(callback)
  }
}
