import type { Channel } from '../channel/channel.ts'
import { nextTurn } from '../channel/event-loop.ts'
import { RpcError } from '../error.ts'
import { ItemSource } from '../iterator.ts'
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
    // Nothing else would make the sender wait: it must not keep timers and I/O out.
    if (this.stopped) return nextTurn()
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
    if (this.#scope.failure !== undefined) throw this.#scope.failure
  }

  /** A server that stops the updates without an error has answered: the response tells the rest. */
  #dropped(error: unknown): undefined {
    if (!(error instanceof RpcError) || error.code !== 'cancelled' || this.#scope.failure !== undefined) throw error
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
  const sender = new UpdateSender(scope, channel)
  let source: ItemSource | undefined
  try {
    // Made also for a call that is over already, to be closed: some iterables hold something from the start.
    source = new ItemSource(updates)
    scope.onOver(() => source?.close())
    while (!scope.over && !sender.stopped) {
      const next = source.next()
      const result = next instanceof Promise ? source.took(await next) : next
      if (scope.over) break
      if (result.done === true) {
        sender.end()
        return
      }
      const room = sendOne(scope, sender, result.value)
      if (room !== undefined) await room
    }
    source.close()
  } catch (error) {
    source?.failed()
    scope.cancel(updatesFailed(error))
  }
}

/** What the updates threw is the caller's own, and nothing that the server should read. */
function updatesFailed(cause: unknown): RpcError {
  if (cause instanceof RpcError && cause.code === 'failed_precondition') return cause
  return new RpcError('cancelled', 'the updates failed', { cause })
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
