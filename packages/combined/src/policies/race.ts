import { type Channel, type OpenOptions, RpcError } from '@qrpc/core'
import { isMembersFault, type Member } from '../member.ts'
import type { Policy } from '../policy.ts'
import { allFailed } from './try-each.ts'

/** How a race is run. */
export interface RaceOptions {
  /** The head start of each member before the next, in ms. Default: 250, as RFC 8305 has it. Sane: 100 to 2000. */
  readonly delayMs?: number | undefined
}

const LOST = new RpcError('cancelled', 'another connector was faster')

/**
 * The member that connects first: each gets a head start before the next, and the next comes at once when one fails. The
 * winner is remembered until it fails. A network that swallows UDP, say, costs one delay and no more.
 *
 * @throws RpcError `invalid_argument` for a delay below 0.
 * @see https://www.rfc-editor.org/rfc/rfc8305
 */
export function race({ delayMs = 250 }: RaceOptions = {}): Policy {
  if (!(delayMs >= 0 && delayMs < 2 ** 31)) {
    throw new RpcError('invalid_argument', `delayMs ${delayMs}: give a time in ms of 0 or more`)
  }
  return (members) => new Racers(members, delayMs).open
}

/** Who has won, and the race that is being run. */
class Racers {
  readonly #members: readonly Member[]
  readonly #delayMs: number
  #winner: Member | undefined = undefined
  #racing: Promise<unknown> | undefined = undefined

  constructor(members: readonly Member[], delayMs: number) {
    this.#members = members
    this.#delayMs = delayMs
  }

  readonly open = (options: OpenOptions | undefined): Channel | Promise<Channel> => {
    const winner = this.#winner
    if (winner === undefined) return this.#race(options)
    try {
      const channel = winner.open(options)
      return channel instanceof Promise
        ? channel.catch((error: unknown) => this.#raceAgain(winner, error, options))
        : channel
    } catch (error) {
      return this.#raceAgain(winner, error, options)
    }
  }

  #raceAgain(winner: Member, error: unknown, options: OpenOptions | undefined): Channel | Promise<Channel> {
    if (!isMembersFault(error)) throw error
    // Others may have raced meanwhile.
    if (this.#winner !== winner) return this.open(options)
    this.#winner = undefined
    return this.#race(options)
  }

  /** Those that come while a race is run wait for its winner. */
  async #race(options: OpenOptions | undefined): Promise<Channel> {
    while (this.#racing !== undefined) {
      await this.#racing
      if (options?.signal?.aborted) throw abortedError(options.signal)
      if (this.#winner !== undefined) return this.open(options)
    }
    const { channel } = new Race(this.#members, options, this.#delayMs, (member) => {
      this.#winner = member
    })
    this.#racing = channel.then(ignore, ignore).then(() => {
      this.#racing = undefined
    })
    return channel
  }
}

function ignore(): void {}

function abortedError(signal: AbortSignal): RpcError {
  if (signal.reason instanceof RpcError) return signal.reason
  return new RpcError('cancelled', 'the open was aborted while it waited', { cause: signal.reason })
}

/** One race, from the first start to the first channel. */
class Race {
  readonly channel: Promise<Channel>
  readonly #members: readonly Member[]
  readonly #options: OpenOptions | undefined
  readonly #delayMs: number
  readonly #onWin: (member: Member) => void
  readonly #losers = new AbortController()
  readonly #errors: unknown[] = []
  #resolve!: (channel: Channel) => void
  #reject!: (error: unknown) => void
  #started = 0
  #over = false
  #timer: ReturnType<typeof setTimeout> | undefined = undefined

  constructor(
    members: readonly Member[],
    options: OpenOptions | undefined,
    delayMs: number,
    onWin: (member: Member) => void,
  ) {
    this.#members = members
    this.#delayMs = delayMs
    this.#onWin = onWin
    const { signal } = this.#losers
    this.#options = {
      ...options,
      signal: options?.signal === undefined ? signal : AbortSignal.any([options.signal, signal]),
    }
    this.channel = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#startNext()
  }

  #startNext(): void {
    clearTimeout(this.#timer)
    const member = this.#members[this.#started++]
    if (member === undefined) return
    void this.#start(member)
    if (this.#started < this.#members.length) this.#timer = setTimeout(() => this.#startNext(), this.#delayMs)
  }

  async #start(member: Member): Promise<void> {
    try {
      const channel = await member.open(this.#options)
      if (this.#over) channel.cancel(LOST)
      else this.#won(member, channel)
    } catch (error) {
      if (!this.#over) this.#failed(error)
    }
  }

  #won(member: Member, channel: Channel): void {
    this.#end()
    this.#onWin(member)
    this.#resolve(channel)
  }

  #failed(error: unknown): void {
    this.#errors.push(error)
    if (!isMembersFault(error)) {
      this.#end()
      this.#reject(error)
    } else if (this.#errors.length === this.#members.length) {
      this.#end()
      this.#reject(allFailed(this.#errors))
    } else if (this.#errors.length === this.#started) this.#startNext()
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#losers.abort(LOST)
  }
}
