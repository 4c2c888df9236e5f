import type { RpcError } from '@qrpc/core'

/** The window of a send half: how far the sender is ahead, and who waits for room. */
export class Room {
  readonly #window: number
  #ahead = 0
  #waiting: { readonly promise: Promise<void>; readonly made: () => void; readonly lost: (error: RpcError) => void }[] =
    []

  constructor(window: number) {
    this.#window = window
  }

  get full(): boolean {
    return this.#ahead >= this.#window
  }

  /** A message was sent. */
  take(): void {
    this.#ahead++
  }

  /** `undefined` where the messages so far had room, else a promise that there is room for the last of them. */
  wait(): Promise<void> | undefined {
    if (this.#ahead <= this.#window) return undefined
    let made!: () => void
    let lost!: (error: RpcError) => void
    const promise = new Promise<void>((resolve, reject) => {
      made = resolve
      lost = reject
    })
    // Nobody has to wait for it.
    promise.catch(() => {})
    this.#waiting.push({ promise, made, lost })
    return promise
  }

  /** The reader has taken messages. */
  free(messages: number): void {
    this.#ahead -= messages
    if (this.#ahead > this.#window) return
    for (const { made } of this.#waiting.splice(0)) made()
  }

  lose(error: RpcError): void {
    for (const { lost } of this.#waiting.splice(0)) lost(error)
  }
}
