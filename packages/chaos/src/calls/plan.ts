import { type Asked, bytesOf } from '../contract.ts'
import type { Random } from '../random.ts'

export const METHODS = ['echo', 'tell', 'collect', 'produce', 'talk'] as const
export type MethodName = (typeof METHODS)[number]

/** What one call is to be. */
export interface CallPlan {
  readonly method: MethodName
  readonly asked: Asked
  /** Bytes of each update. */
  readonly updateSize: number
  readonly timeoutMs: number
  /** Bytes of metadata. */
  readonly metadata: number
  /** Whether a stream is driven by hand, or fed from an iterable. */
  readonly byHand: boolean
  /** How long the client stops to read, in ms, before the response of that number. */
  readonly stall: { readonly before: number; readonly ms: number } | undefined
  /** How the client ends it before it is over: after so many messages, sent and received together. */
  readonly quit: { readonly by: 'signal' | 'cancel' | 'leaving'; readonly after: number } | undefined
}

const LARGE = 150_000
const MOST_MESSAGES = 60
const USUAL_TIMEOUT_MS = 3000
const SHORT_TIMEOUT_MS = 200
const LONGEST_STALL_MS = 150

/** A call of any kind. */
export function planCall(id: number, random: Random): CallPlan {
  const method = random.pick(METHODS)
  const updates = method === 'collect' || method === 'talk' ? random.scale(MOST_MESSAGES) : 0
  const responses = method === 'produce' || method === 'talk' ? random.scale(MOST_MESSAGES) : 0
  const messages = updates + responses
  const large = random.chance(0.04) && messages < 8
  const answerAfter = updates > 0 && random.chance(0.1) ? random.between(1, updates) : undefined
  const steps = answerAfter ?? messages
  const hang = random.chance(0.03) && method !== 'tell'
  const short = hang || random.chance(0.15)
  const asked: Asked = {
    id,
    updates,
    responses,
    bytes: bytesOf(id, 0, large ? LARGE : random.scale(messages > 8 ? 1000 : 20_000)),
    answerAfter,
    hang,
    stall: random.chance(0.1) ? stall(steps, random) : undefined,
    failBefore: random.chance(0.08) ? random.between(0, Math.max(0, steps - 1)) : undefined,
  }
  return {
    method,
    asked,
    updateSize: large ? LARGE : random.scale(2000),
    timeoutMs: short ? random.between(1, SHORT_TIMEOUT_MS) : USUAL_TIMEOUT_MS,
    metadata: random.chance(0.2) ? random.scale(8000) : 0,
    byHand: random.chance(0.5),
    stall: random.chance(0.1) ? stall(messages, random) : undefined,
    quit: random.chance(0.12)
      ? { by: random.pick(['signal', 'cancel', 'leaving']), after: random.between(0, messages) }
      : undefined,
  }
}

/** A call that has no reason to fail. */
export function planCalmCall(id: number, method: MethodName): CallPlan {
  const updates = method === 'collect' || method === 'talk' ? 3 : 0
  const responses = method === 'produce' || method === 'talk' ? 3 : 0
  return {
    method,
    asked: { id, updates, responses, bytes: bytesOf(id, 0, 100) },
    updateSize: 100,
    timeoutMs: USUAL_TIMEOUT_MS,
    metadata: 0,
    byHand: false,
    stall: undefined,
    quit: undefined,
  }
}

function stall(messages: number, random: Random): { before: number; ms: number } {
  return { before: random.between(0, messages), ms: random.scale(LONGEST_STALL_MS) }
}
