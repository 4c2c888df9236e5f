import type { Interceptor } from '@qrpc/core'

/** What a run over one transport comes to. */
export class Tally {
  readonly transport: string
  calls = 0
  /** Files that came back as they went in. */
  files = 0
  /** Bytes of content that were moved, either way. */
  bytes = 0
  /** How long that took, in ms. */
  elapsed = 0
  errors = 0

  constructor(transport: string) {
    this.transport = transport
  }

  /** Sees each call of a client, whatever its pattern. */
  readonly countCalls: Interceptor = (call, next) => {
    this.calls++
    return next(call)
  }

  /** Takes note of something that went wrong; the run goes on. */
  fail(what: string, error?: unknown): void {
    this.errors++
    console.error(`${this.transport}: ${what}`, error ?? '')
  }
}
