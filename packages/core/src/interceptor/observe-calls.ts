import type { Peer } from '../channel/channel.ts'
import { RpcError } from '../error.ts'
import { ItemSource } from '../iterator.ts'
import type { InterceptedCall, InterceptedNext, InterceptedResult, Interceptor } from './interceptor.ts'
import { changedCall, lazySignalOf } from './original-call.ts'
import { tell } from './tell.ts'

/** Follows one call to its end, without a part in it: what its callbacks throw is printed, and the call goes on. */
export interface CallObserver {
  /**
   * Runs each step of what lies behind the interceptor, to put something around it that only the callee sees, such as the
   * context of a trace. It must return what the step returns. Default: runs it.
   */
  within?<R>(step: () => R): R
  /** On the client: what carries the call, before the request is sent. Again for each attempt, where the call is tried again. */
  onPeer?(peer: Peer): void
  /** An update has gone by. */
  onUpdate?(): void
  /** A response has gone by: the only one, or one of a stream. */
  onResponse?(): void
  /**
   * The call is over. Told once. Without an error it went well as far as this side can tell: a client's notify was handed
   * over, say. What was thrown and is no `RpcError` is the `cause` of an `internal` one.
   */
  onEnd?(error: RpcError | undefined): void
}

// One for all calls: to make an error is dear.
const LEFT = new RpcError('cancelled', 'the stream was left before its end')

/**
 * An interceptor, for either side, that follows calls of all patterns to their end, streams to theirs: what logs, metrics
 * and traces are made of.
 *
 * @param begin Called with each call before it goes on. It may add to the metadata; a throw refuses the call, and
 * `undefined` leaves it alone.
 * @example
 * ```ts
 * const logging = observeCalls(({ method }) => {
 *   const start = performance.now()
 *   return { onEnd: (error) => console.log(method, error?.code ?? 'ok', performance.now() - start) }
 * })
 * ```
 */
export function observeCalls(begin: (call: InterceptedCall) => CallObserver | undefined): Interceptor {
  return (call, next) => {
    const observer = begin(call)
    return observer === undefined ? next(call) : new ObservedCall(call, observer).run(next)
  }
}

class ObservedCall {
  readonly #call: InterceptedCall
  readonly #observer: CallObserver
  #forget: () => void = ignore
  #over = false

  constructor(call: InterceptedCall, observer: CallObserver) {
    this.#call = call
    this.#observer = observer
    // Nobody else tells where what lies behind hangs, or where another interceptor drops the responses.
    this.#forget = onCutShort(call, (error) => this.#end(error))
  }

  async run(next: InterceptedNext): Promise<InterceptedResult> {
    try {
      const result = await this.#within(() => next(this.#watched()))
      if (result?.responses !== undefined) return { responses: this.#observed(result.responses) }
      if (this.#call.pattern !== 'notify') this.#tell('onResponse')
      this.#end(undefined)
      return result
    } catch (error) {
      this.#end(RpcError.from(error, 'internal'))
      throw error
    }
  }

  #watched(): InterceptedCall {
    const call = this.#call
    const { updates } = call
    const introduces = this.#observer.onPeer !== undefined
    const counts = this.#observer.onUpdate !== undefined && updates !== undefined
    if (!introduces && !counts) return call
    return changedCall(call, {
      onPeer: introduces ? (peer) => this.#introduce(peer) : call.onPeer,
      updates: counts ? { [Symbol.asyncIterator]: () => this.#counted(updates) } : updates,
    })
  }

  #introduce(peer: Peer): void {
    if (!this.#over) tell('onPeer', () => this.#observer.onPeer?.(peer))
    this.#call.onPeer?.(peer)
  }

  #counted(updates: AsyncIterable<unknown>): AsyncIterator<unknown> {
    return new TappedItems(updates, { within: run, onItem: () => this.#tell('onUpdate'), onEnd: ignore })
  }

  #observed(responses: AsyncIterable<unknown>): AsyncIterable<unknown> {
    const tap: Tap = {
      within: (step) => this.#within(step),
      onItem: () => this.#tell('onResponse'),
      onEnd: (error) => this.#end(error),
    }
    return { [Symbol.asyncIterator]: () => new TappedItems(responses, tap) }
  }

  #within<R>(step: () => R): R {
    return this.#observer.within === undefined ? step() : this.#observer.within(step)
  }

  #tell(name: 'onUpdate' | 'onResponse'): void {
    if (!this.#over) tell(name, () => this.#observer[name]?.())
  }

  #end(error: RpcError | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    tell('onEnd', () => this.#observer.onEnd?.(error))
  }
}

interface Tap {
  readonly within: <R>(step: () => R) => R
  readonly onItem: () => void
  readonly onEnd: (error: RpcError | undefined) => void
}

/** The items of an iterable, and word of each of them. */
class TappedItems implements AsyncIterator<unknown> {
  readonly #source: ItemSource
  readonly #tap: Tap

  constructor(items: AsyncIterable<unknown>, tap: Tap) {
    this.#source = new ItemSource(items)
    this.#tap = tap
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      const result = this.#source.took(await this.#tap.within(() => this.#source.next()))
      if (result.done === true) this.#tap.onEnd(undefined)
      else this.#tap.onItem()
      return result
    } catch (error) {
      this.#source.failed()
      this.#tap.onEnd(RpcError.from(error, 'internal'))
      throw error
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#source.close()
    this.#tap.onEnd(LEFT)
    return { value: undefined, done: true }
  }
}

/** @returns A function that ends that. */
function onCutShort(call: InterceptedCall, callback: (error: RpcError) => void): () => void {
  const lazy = lazySignalOf(call)
  if (lazy !== undefined) return lazy.onAbort(callback)
  const { signal } = call
  const onAbort = (): void => callback(RpcError.from(signal.reason, 'cancelled'))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return () => signal.removeEventListener('abort', onAbort)
}

function run<R>(step: () => R): R {
  return step()
}

function ignore(): void {}
