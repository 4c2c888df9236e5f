import { service, unary } from '@qrpc/core'

export const Work = service('work', {
  sqr: unary<number, number>(),
  /** Computes for so many µs before it answers. */
  compute: unary<number, number>(),
})

export const handlers = {
  sqr: async (n: number): Promise<number> => n * n,
  compute(us: number): number {
    const end = performance.now() + us / 1000
    let n = 0
    while (performance.now() < end) n = (n + 1) & 0xff
    return n
  },
}
