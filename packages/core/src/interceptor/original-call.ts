import type { Peer } from '../channel/channel.ts'
import type { ContextValues } from '../context-values.ts'
import type { Pattern } from '../contract/method.ts'
import type { Metadata } from '../metadata.ts'
import type { InterceptedCall } from './interceptor.ts'
import type { LazySignal } from './lazy-signal.ts'

const SOURCE: unique symbol = Symbol('qrpc.signal')

interface Sourced {
  [SOURCE]: LazySignal
}

// A property of its own, so that a copy (`{ ...call }`) has it; and one getter for all, with which all calls are of one shape.
const SIGNAL: PropertyDescriptor = {
  get(this: Sourced) {
    return this[SOURCE].signal
  },
  enumerable: true,
  configurable: true,
}

/** A call as it sets out on its way through the interceptors. Its signal is made when one of them looks at it, or copies it. */
export class OriginalCall implements InterceptedCall {
  readonly method: string
  readonly pattern: Pattern
  readonly idempotent: boolean | undefined
  readonly metadata: Metadata
  readonly values: ContextValues
  declare readonly signal: AbortSignal
  readonly deadline: number | undefined
  readonly peer: Peer | undefined
  readonly onPeer: ((peer: Peer) => void) | undefined
  readonly request: unknown
  readonly updates: AsyncIterable<unknown> | undefined

  /** @param source Where the signal comes from. */
  constructor(call: Omit<InterceptedCall, 'signal'>, source: LazySignal) {
    Object.defineProperty(this, 'signal', SIGNAL)
    this.method = call.method
    this.pattern = call.pattern
    this.idempotent = call.idempotent
    this.metadata = call.metadata
    this.values = call.values
    this.deadline = call.deadline
    this.peer = call.peer
    this.onPeer = call.onPeer
    this.request = call.request
    this.updates = call.updates
    ;(this as unknown as Sourced)[SOURCE] = source
  }
}

/** What cuts a call short, without a signal, where no interceptor has made a call of its own out of it. */
export function lazySignalOf(call: InterceptedCall): LazySignal | undefined {
  if (!(call instanceof OriginalCall) || !Object.hasOwn(call, SOURCE)) return undefined
  return (call as unknown as Sourced)[SOURCE]
}

/** A copy with changes, as `{ ...call, ...changes }` makes it, but with a signal that still waits for somebody to look at it. */
export function changedCall(call: InterceptedCall, changes: Partial<Omit<InterceptedCall, 'signal'>>): InterceptedCall {
  const lazy = lazySignalOf(call)
  if (lazy === undefined) return { ...call, ...changes }
  const { method, pattern, idempotent, metadata, values, deadline, peer, onPeer, request, updates } = call
  const fields = { method, pattern, idempotent, metadata, values, deadline, peer, onPeer, request, updates }
  return new OriginalCall({ ...fields, ...changes }, lazy)
}
