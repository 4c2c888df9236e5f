import type { Http2Session } from 'node:http2'

/** When a silent connection is asked for a sign of life. */
export interface KeepAliveTimes {
  /** After how long without a byte from the peer a PING is sent, in ms. */
  readonly intervalMs: number
  /** How long the answer may take, in ms. */
  readonly timeoutMs: number
}

/** Sends PINGs (RFC 9113, section 6.7) over a connection that is silent, and says when it is dead: perhaps repeatedly. */
export class KeepAlive {
  readonly #session: Http2Session
  readonly #times: KeepAliveTimes
  readonly #onDead: () => void
  readonly #interval: NodeJS.Timeout
  #deadline: NodeJS.Timeout | undefined = undefined
  #bytesRead = 0

  constructor(session: Http2Session, times: KeepAliveTimes, onDead: () => void) {
    this.#session = session
    this.#times = times
    this.#onDead = onDead
    this.#interval = setInterval(() => this.#check(), times.intervalMs).unref()
  }

  close(): void {
    clearInterval(this.#interval)
    clearTimeout(this.#deadline)
  }

  #check(): void {
    // Its socket stays open until the peer closes it, too: one that does not is as dead as one that does not answer.
    if (this.#session.destroyed) this.#onDead()
    if (this.#session.destroyed || this.#deadline !== undefined) return
    const { bytesRead } = this.#session.socket
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead
      return
    }
    this.#deadline = setTimeout(this.#onDead, this.#times.timeoutMs).unref()
    this.#session.ping((error) => {
      // A session that has given up on its peer sends no PING, and says so.
      if (error !== null) return
      clearTimeout(this.#deadline)
      this.#deadline = undefined
    })
  }
}
