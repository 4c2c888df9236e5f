import { type Channel, type OpenOptions, RpcError } from '@qrpc/core'
import { isMembersFault, type Member } from '../member.ts'
import type { Policy } from '../policy.ts'
import { first } from './first.ts'
import { HEAD_START_MS, OpeningRace, openAborted } from './opening-race.ts'

/** How a race is run. */
export interface RaceOptions {
  /** The head start of each member before the next, in ms. Default: 250, as RFC 8305 has it. Sane: 100 to 2000. */
  readonly delayMs?: number | undefined
}

// A winner may be gone again before a call gets to it; one that does so over and over must not keep the call going round.
const RACES_PER_CALL = 3

/**
 * The member that connects first: each gets a head start before the next, and the next comes at once when one fails. The
 * winner is remembered: while it is connected it has all calls, and later the first start. A network that swallows UDP,
 * say, costs one delay and no more.
 *
 * @throws RpcError `invalid_argument` for a delay below 0.
 * @see https://www.rfc-editor.org/rfc/rfc8305
 */
export function race({ delayMs = HEAD_START_MS }: RaceOptions = {}): Policy {
  if (!(delayMs >= 0 && delayMs < 2 ** 31)) {
    throw new RpcError('invalid_argument', `delayMs ${delayMs}: give a time in ms of 0 or more`)
  }
  return (members) => (members.length === 1 ? first()(members) : new Racers(members, delayMs).open)
}

/** Who has won, and the race that is being run. */
class Racers {
  readonly #members: readonly Member[]
  readonly #delayMs: number
  #winner: Member | undefined = undefined
  #racing: Promise<Member> | undefined = undefined

  constructor(members: readonly Member[], delayMs: number) {
    this.#members = members
    this.#delayMs = delayMs
  }

  readonly open = (options: OpenOptions | undefined): Channel | Promise<Channel> => {
    const winner = this.#winner
    if (winner === undefined || winner.state !== 'ready') return this.#openOnWinner(options)
    try {
      const channel = winner.open(options)
      return channel instanceof Promise ? channel.catch((error) => this.#openOnNext(winner, error, options)) : channel
    } catch (error) {
      return this.#openOnNext(winner, error, options)
    }
  }

  #openOnNext(winner: Member, error: unknown, options: OpenOptions | undefined): Promise<Channel> {
    this.#lost(winner, error, options)
    return this.#openOnWinner(options)
  }

  async #openOnWinner(options: OpenOptions | undefined): Promise<Channel> {
    for (let races = 1; ; races++) {
      const winner = await untilAborted(this.#race(options), options?.signal)
      try {
        return await winner.open(options)
      } catch (error) {
        this.#lost(winner, error, options)
        if (races === RACES_PER_CALL) throw error
      }
    }
  }

  /** @throws what is no member's fault: no other would do better. */
  #lost(winner: Member, error: unknown, options: OpenOptions | undefined): void {
    if (!isMembersFault(error, options)) throw error
    if (this.#winner === winner) this.#winner = undefined
  }

  /** One race for all calls that wait. It goes on without them: a call may be given up sooner than a member connects. */
  #race(options: OpenOptions = {}): Promise<Member> {
    if (this.#racing === undefined) {
      const { method, pattern, metadata } = options
      this.#racing = this.#run({ method, pattern, metadata })
      this.#racing.catch(ignore)
    }
    return this.#racing
  }

  async #run(options: OpenOptions): Promise<Member> {
    const remembered = this.#winner
    const others = this.#members.filter((member) => member !== remembered)
    const racing = new OpeningRace(remembered === undefined ? others : [remembered, ...others], options, this.#delayMs)
    try {
      const { member, channel } = await racing.won
      channel.cancel(new RpcError('cancelled', 'the channel was opened to see who is first'))
      this.#winner = member
      return member
    } finally {
      this.#racing = undefined
    }
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) return Promise.reject(openAborted(signal))
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(openAborted(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve, reject).then(() => signal.removeEventListener('abort', onAbort))
  })
}

function ignore(): void {}
