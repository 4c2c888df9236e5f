import { type Channel, type OpenOptions, RpcError } from '@qrpc/core'
import { isMembersFault, type Member } from '../member.ts'

/** How a member is asked for a channel. */
export type OpenMember = (member: Member, options: OpenOptions | undefined) => Channel | Promise<Channel>

/** The head start of each member before the next, in ms, as RFC 8305 has it. */
export const HEAD_START_MS = 250

const LOST = new RpcError('cancelled', 'another connector was faster')

/** Who has opened a channel first. */
export interface Won {
  readonly member: Member
  readonly channel: Channel
}

/**
 * Members that try to open a channel side by side: each gets a head start before the next, and the next comes at once
 * when one fails. None of them sends anything, so that only the winner's channel is ever seen by a server.
 */
export class OpeningRace {
  /** Rejects with `unavailable` and what each of them failed with as cause, or with what was nobody's fault. */
  readonly won: Promise<Won>
  readonly #members: readonly Member[]
  readonly #options: OpenOptions
  readonly #delayMs: number
  readonly #open: OpenMember
  readonly #losers = new AbortController()
  readonly #signal: AbortSignal | undefined
  readonly #errors: unknown[] = []
  #resolve!: (won: Won) => void
  #reject!: (error: unknown) => void
  #started = 0
  #over = false
  #timer: ReturnType<typeof setTimeout> | undefined = undefined

  constructor(
    members: readonly Member[],
    options: OpenOptions = {},
    delayMs: number = HEAD_START_MS,
    open: OpenMember = openMember,
  ) {
    this.#members = members
    this.#delayMs = delayMs
    this.#open = open
    const { method, pattern, metadata, signal } = options
    this.#signal = signal
    this.#options = { method, pattern, metadata, signal: this.#losers.signal }
    this.won = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (signal?.aborted) this.#onAbort()
    else {
      signal?.addEventListener('abort', this.#onAbort, { once: true })
      this.#startNext()
    }
  }

  #startNext(): void {
    clearTimeout(this.#timer)
    const member = this.#members[this.#started++] as Member
    if (this.#started < this.#members.length) this.#timer = setTimeout(() => this.#startNext(), this.#delayMs)
    void this.#start(member)
  }

  async #start(member: Member): Promise<void> {
    try {
      const channel = await this.#open(member, this.#options)
      if (this.#over) channel.cancel(LOST)
      else {
        this.#end(LOST)
        this.#resolve({ member, channel })
      }
    } catch (error) {
      if (!this.#over) this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#errors.push(error)
    const failed = this.#errors.length
    if (!isMembersFault(error, this.#options)) this.#fail(error)
    else if (failed === this.#members.length) this.#fail(allFailed(this.#errors))
    else if (failed === this.#started) this.#startNext()
  }

  #onAbort = (): void => this.#fail(openAborted(this.#signal as AbortSignal))

  #fail(error: unknown): void {
    this.#end(error)
    this.#reject(error)
  }

  #end(reason: unknown): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#losers.abort(reason)
  }
}

function openMember(member: Member, options: OpenOptions | undefined): Channel | Promise<Channel> {
  return member.open(options)
}

/** Why an open ended that was aborted while it waited. */
export function openAborted(signal: AbortSignal): RpcError {
  if (signal.reason instanceof RpcError) return signal.reason
  return new RpcError('cancelled', 'the open was aborted while it waited', { cause: signal.reason })
}

function allFailed(errors: readonly unknown[]): RpcError {
  const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)))
  return new RpcError('unavailable', `none of ${errors.length} connectors could open a channel: ${texts.join('; ')}`, {
    cause: new AggregateError(errors),
  })
}
