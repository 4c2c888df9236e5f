import type { Answer } from './orders.ts'

/** Carries out the orders that the parent process sends, and ends with it. */
export function obey<Order>(carryOut: (order: Order) => unknown): void {
  process.on('message', (order: Order) => {
    const done = async (): Promise<Answer<unknown>> => {
      try {
        return { value: await carryOut(order) }
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error) }
      }
    }
    void done().then((answer) => process.send?.(answer))
  })
  process.on('disconnect', () => process.exit())
  // The terminal sends it to all processes; the parent decides.
  process.on('SIGINT', () => {})
}

/** @returns Bytes in use by this process, once what is garbage is gone. */
export async function memoryInUse(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.()
    // Finalizers of native objects run in turns of their own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage.rss()
}
