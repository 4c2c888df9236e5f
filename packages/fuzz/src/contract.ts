import { bidiStreaming, clientStreaming, type Handlers, notify, serverStreaming, service, unary } from '@qrpc/core'

/** A service of every pattern, with names that take few bytes. */
export const Tried = service('t', {
  echo: unary<unknown, unknown>(),
  wait: unary<void, void>(),
  sum: clientStreaming<unknown, unknown, number>(),
  count: serverStreaming<unknown, unknown>(),
  talk: bidiStreaming<unknown, unknown, unknown>(),
  tell: notify<unknown>(),
})

const MOST_COUNTED = 20

/** Handlers of it, which throw nothing themselves, and how many of them are running. */
export function createHandlers(): { handlers: Handlers<typeof Tried>; running: () => number } {
  let running = 0
  const handlers: Handlers<typeof Tried> = {
    echo: (message) => message,
    async wait(_, { signal }) {
      running++
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      running--
    },
    async sum(_, updates) {
      running++
      let sum = 0
      try {
        for await (const _update of updates) sum++
      } finally {
        running--
      }
      return sum
    },
    async *count(asked) {
      running++
      try {
        for (let n = 0; n < (typeof asked === 'number' ? Math.min(asked, MOST_COUNTED) : 2); n++) yield asked
      } finally {
        running--
      }
    },
    async *talk(_, updates) {
      running++
      try {
        yield* updates
      } finally {
        running--
      }
    },
    async tell() {},
  }
  return { handlers, running: () => running }
}
