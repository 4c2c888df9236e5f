import { type Handlers, RpcError, type Server, serve } from '@qrpc/core'
import { type Http2ListenOptions, listenHttp2 } from '@qrpc/transport-http2'
import { Notes } from 'split-types'

const MAX_NOTES = 10_000

/** Starts the server. */
export async function serveNotes(options?: Http2ListenOptions): Promise<Server> {
  return serve(Notes, notesHandlers(), await listenHttp2(options))
}

function notesHandlers(): Handlers<typeof Notes> {
  const notes: string[] = []

  function add(text: string): number {
    if (notes.length === MAX_NOTES) throw new RpcError('resource_exhausted', `there are ${MAX_NOTES} notes`)
    return notes.push(text)
  }

  return {
    add: ({ text }) => add(text),
    async import(_, updates) {
      const before = notes.length
      for await (const text of updates) add(text)
      return { added: notes.length - before }
    },
    *all() {
      for (const [index, text] of notes.entries()) yield { id: index + 1, text }
    },
  }
}
