import type { RpcError } from '@qrpc/core'

/** What senders wait on while there is no room: one promise for all of them, and none while nobody waits. */
export class Room {
  private waiting: Promise<void> | undefined = undefined
  private resolve: (() => void) | undefined = undefined
  private reject: ((error: RpcError) => void) | undefined = undefined

  /** Resolves when there is room again. It never becomes an unhandled rejection. */
  wait(): Promise<void> {
    if (this.waiting === undefined) {
      this.waiting = new Promise((resolve, reject) => {
        this.resolve = resolve
        this.reject = reject
      })
      this.waiting.catch(ignore)
    }
    return this.waiting
  }

  /** There is room again. */
  made(): void {
    if (this.waiting === undefined) return
    this.waiting = undefined
    this.resolve?.()
  }

  /** There will be none any more. */
  lost(error: RpcError): void {
    if (this.waiting === undefined) return
    this.waiting = undefined
    this.reject?.(error)
  }
}

function ignore(): void {}
