import { clientStreaming, type Handlers, service, unary } from '@qrpc/core'

/** As it might come from a library: it knows of nothing around it. */
export const Calc = service('calc', {
  add: unary<readonly [number, number], number>(),
  sum: clientStreaming<void, number, number>(),
})

export const calcHandlers: Handlers<typeof Calc> = {
  add: ([a, b]) => a + b,
  async sum(_, updates) {
    let total = 0
    for await (const n of updates) total += n
    return total
  },
}
