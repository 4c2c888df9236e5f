import type { Direction, Manner } from './network.ts'

/** A cut that comes once so many bytes have passed. */
export class PendingCut {
  readonly #cut: (manner: Manner) => void
  #armed: { readonly direction: Direction; left: number; readonly manner: Manner } | undefined = undefined

  constructor(cut: (manner: Manner) => void) {
    this.#cut = cut
  }

  arm(direction: Direction, bytes: number, manner: Manner): void {
    this.#armed = { direction, left: bytes, manner }
  }

  disarm(): void {
    this.#armed = undefined
  }

  /** How many of so many bytes may pass. If they are fewer, it is time to {@link fire} once they have. */
  take(direction: Direction, bytes: number): number {
    if (this.#armed?.direction !== direction) return bytes
    const room = Math.min(this.#armed.left, bytes)
    this.#armed.left -= room
    return room
  }

  fire(): void {
    const armed = this.#armed
    this.#armed = undefined
    if (armed !== undefined) this.#cut(armed.manner)
  }
}
