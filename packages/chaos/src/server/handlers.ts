import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, type Handlers, RpcError, type ServeOptions, type UpdateStream } from '@qrpc/core'
import { type Asked, bytesOf, type Chaos, flawIn, type Item } from '../contract.ts'
import type { Journal } from './journal.ts'

/** Handlers that do as they are asked, and tell of it. */
export function chaosHandlers(journal: Journal): Handlers<typeof Chaos> {
  const once = async <T>(asked: Asked, work: () => Promise<T>): Promise<T> => {
    journal.started(asked.id)
    try {
      return await work()
    } finally {
      journal.ended(asked.id)
    }
  }
  return {
    echo: (asked, context) =>
      once(asked, async () => {
        checkRequest(asked, journal)
        await step(asked, 0, context)
        return response(asked, 0)
      }),
    tell: (asked, context) =>
      once(asked, async () => {
        checkRequest(asked, journal)
        await step(asked, 0, context)
      }),
    collect: (asked, updates, context) =>
      once(asked, async () => {
        checkRequest(asked, journal)
        let taken = 0
        for await (const _ of checked(asked, updates, journal)) {
          await step(asked, taken++, context)
          if (taken === asked.answerAfter) return response(asked, taken)
        }
        await step(asked, taken, context)
        return response(asked, taken)
      }),
    async *produce(asked, context) {
      journal.started(asked.id)
      try {
        checkRequest(asked, journal)
        for (let n = 0; n < asked.responses; n++) {
          await step(asked, n, context)
          yield response(asked, n)
        }
        await step(asked, asked.responses, context)
      } finally {
        journal.ended(asked.id)
      }
    },
    async *talk(asked, updates, context) {
      journal.started(asked.id)
      try {
        checkRequest(asked, journal)
        let n = 0
        for await (const _ of checked(asked, updates, journal)) {
          await step(asked, n, context)
          yield response(asked, n++)
          if (n === asked.answerAfter) return
        }
        for (const last = n + asked.responses; n < last; n++) {
          await step(asked, n, context)
          yield response(asked, n)
        }
        await step(asked, n, context)
      } finally {
        journal.ended(asked.id)
      }
    },
  }
}

/** Has what no fault may cause told to the journal. */
export function chaosServing(journal: Journal): ServeOptions {
  return {
    onError(error, { method }) {
      // A channel that broke off before its request is told as an `RpcError`.
      if (!(error instanceof RpcError)) journal.wrong(`${method} failed with ${String(error)}`)
      else if (error.code !== 'unavailable' && error.code !== 'cancelled' && error.code !== 'deadline_exceeded')
        journal.wrong(`${method} refused: ${error.code} ${error.message}`)
    },
  }
}

function checkRequest({ id, bytes }: Asked, journal: Journal): void {
  const flaw = flawIn(bytes, id, 0, bytes.length)
  if (flaw !== undefined) journal.wrong(`the request of call ${id} ${flaw}`)
}

/** The updates, each once and in order; an end that comes before the client has ended them is wrong. */
async function* checked({ id, updates: sent }: Asked, updates: UpdateStream<Item>, journal: Journal) {
  let expected = 0
  for await (const { n, bytes } of updates) {
    const flaw = n === expected ? flawIn(bytes, id, n, bytes.length) : `came instead of ${expected}`
    if (flaw !== undefined) journal.wrong(`update ${n} of call ${id} ${flaw}`)
    expected++
    yield n
  }
  if (expected !== sent) journal.wrong(`the updates of call ${id} ended after ${expected} of ${sent}, without an error`)
}

/** What is to be done before a message. */
async function step(asked: Asked, n: number, { signal }: Context): Promise<void> {
  if (asked.stall?.before === n) await sleep(asked.stall.ms, undefined, { signal })
  if (asked.failBefore === n) throw new RpcError('aborted', 'as it was asked to')
  if (asked.hang) await untilAborted(signal)
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(RpcError.from(signal.reason))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

function response({ id, bytes }: Asked, n: number): Item {
  return { n, bytes: bytesOf(id, n, bytes.length) }
}
