import type { Channel } from '../channel/channel.ts'
import { RpcError } from '../error.ts'
import { closeIterator, type ItemIterator, iteratorOf } from '../iterator.ts'
import { isPromise } from '../promise.ts'
import type { CallScope } from './call-scope.ts'

/** The updates of one call, until they are ended here or the server wants no more of them. */
export class UpdateSender {
  readonly #scope: CallScope
  readonly #channel: Channel
  #ended = false
  /** The server wants no more updates, and those that are sent are dropped. */
  stopped = false

  constructor(scope: CallScope, channel: Channel) {
    this.#scope = scope
    this.#channel = channel
  }

  send(update: unknown): Promise<void> | undefined {
    this.#check()
    try {
      const room = this.#channel.send(update)
      if (room === undefined) return undefined
      const waited = room.catch((error: unknown) => this.#dropped(error))
      waited.catch(ignore)
      return waited
    } catch (error) {
      return this.#dropped(error)
    }
  }

  trySend(update: unknown): boolean {
    this.#check()
    try {
      return this.#channel.trySend(update)
    } catch (error) {
      this.#dropped(error)
      return true
    }
  }

  end(): void {
    this.#ended = true
    this.#channel.end()
  }

  #check(): void {
    if (this.#ended) throw new RpcError('failed_precondition', 'the updates were ended: nothing can be sent after that')
    if (this.#scope.error !== undefined) throw this.#scope.error
  }

  /** A server that stops the updates without an error has answered: the response tells the rest. */
  #dropped(error: unknown): undefined {
    if (!(error instanceof RpcError) || error.code !== 'cancelled' || this.#scope.error !== undefined) throw error
    this.stopped = true
    return undefined
  }
}

/** Sends all updates of an iterable on a call's channel, until they end, fail, or the call is over. */
export async function sendUpdates(
  scope: CallScope,
  channel: Channel,
  updates: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<void> {
  if (scope.error !== undefined) return
  const sender = new UpdateSender(scope, channel)
  let iterator: ItemIterator | undefined
  let over = false
  scope.onOver(() => {
    over = true
    closeIterator(iterator)
  })
  try {
    iterator = iteratorOf(updates) as ItemIterator
    while (!over) {
      const next = iterator.next()
      const result = isPromise(next) ? await next : next
      if (over) return
      if (result.done === true) {
        sender.end()
        return
      }
      const room = sendOne(scope, sender, result.value)
      if (room !== undefined) await room
      if (sender.stopped) {
        closeIterator(iterator)
        return
      }
    }
  } catch (error) {
    if (!over) scope.cancel(new RpcError('cancelled', 'the updates failed', { cause: error }))
  }
}

/** What an update cannot be sent for is what the call fails with, as it is; it is not the fault of the iterable. */
function sendOne(scope: CallScope, sender: UpdateSender, update: unknown): Promise<void> | undefined {
  const fail = (error: unknown): void => scope.cancel(RpcError.from(error, 'internal'))
  try {
    return sender.send(update)?.catch(fail)
  } catch (error) {
    fail(error)
    return undefined
  }
}

function ignore(): void {}
