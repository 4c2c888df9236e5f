import { EventEmitter, once } from 'node:events'
import type { Handlers } from '@qrpc/core'
import { Search } from './contract.ts'

/** Nothing in here knows where it runs. */
export function searchHandlers(): Handlers<typeof Search> {
  const texts = new Map<string, string>()
  const changes = new EventEmitter<{ running: [] }>().setMaxListeners(0)
  let running = 0

  function run(more: 1 | -1): void {
    running += more
    changes.emit('running')
  }

  return {
    async add(_, updates) {
      for await (const { title, text } of updates) texts.set(title, text)
      return texts.size
    },

    page(title) {
      const text = texts.get(title)
      if (text !== undefined) return { title, text }
      const similar = [...texts.keys()].filter((other) => other.toLowerCase() === title.toLowerCase())
      throw Search.page.error('NotFound', { title, similar })
    },

    async *find(word) {
      run(1)
      try {
        for (;;) {
          const found = [...texts].filter(([, text]) => text.includes(word))
          if (found.length === 0) return
          for (const [title] of found) yield title
        }
      } finally {
        run(-1)
      }
    },

    async *running(_, { signal }) {
      for (let told = -1; ; ) {
        while (told === running) await once(changes, 'running', { signal })
        told = running
        yield told
      }
    },

    forWhom: (_, { metadata }) => String(metadata.get('user') ?? 'nobody'),
  }
}
