import type { Handlers } from '@qrpc/core'
import type { Compute } from './contract.ts'

/** Stateless, so one object serves everyone. */
export const computeHandlers: Handlers<typeof Compute> = {
  sqr: async (n) => n * n,

  async sum(_, updates) {
    let total = 0
    for await (const n of updates) total += n
    return total
  },

  async *fibonacci(count) {
    for (let i = 0, a = 0, b = 1; i < count; i++, [a, b] = [b, a + b]) yield a
  },

  async *multiply(factor, updates) {
    for await (const n of updates) yield factor * n
  },
}
