import { Queue } from '@qrpc/core'

/** How many bytes the messages have that wait for the reader, oldest first. */
export class HeldBytes {
  /** The sum of them. */
  total = 0
  private sizes: Queue<number> | undefined = undefined

  add(size: number): void {
    this.sizes ??= new Queue()
    this.sizes.push(size)
    this.total += size
  }

  /** The oldest message was taken. */
  take(): void {
    this.total -= this.sizes?.shift() ?? 0
  }
}
