import { type Channel, type OpenOptions, RpcError } from '@qrpc/core'
import type { Member } from '../member.ts'
import type { Policy } from '../policy.ts'
import { choosing } from './choosing.ts'
import { first } from './first.ts'

/**
 * Which of the members that work gets the next call:
 * - `round_robin`: one after the other.
 * - `least_in_flight`: the one with the fewest calls that run.
 * - `power_of_two_choices`: of two at random the one with fewer calls that run. Nearly as even as the above, and clients
 *   that do not know of each other do not all run to the same server.
 */
export type BalanceMethod = 'round_robin' | 'least_in_flight' | 'power_of_two_choices'

type Pick = (members: readonly Member[]) => number

const METHODS: Readonly<Record<BalanceMethod, () => Pick>> = {
  round_robin: roundRobin,
  least_in_flight: leastInFlight,
  power_of_two_choices: () => powerOfTwoChoices,
}

/**
 * Spreads calls over equal servers. One that cannot be reached is taken out; after a backoff it is tried in the
 * background, and gets calls again once it works.
 *
 * @param method Default: `power_of_two_choices`.
 * @throws RpcError `invalid_argument` for another method.
 */
export function balance(method: BalanceMethod = 'power_of_two_choices'): Policy {
  if (!Object.hasOwn(METHODS, method)) {
    throw new RpcError(
      'invalid_argument',
      `balance "${String(method)}": give one of ${Object.keys(METHODS).join(', ')}`,
    )
  }
  return (members) => {
    if (members.length === 1) return first()(members)
    const pick = METHODS[method]()
    const choose = (): Member | undefined => {
      const usable = connected(members)
      return usable.length > 1 ? usable[pick(usable)] : usable[0]
    }
    return choosing(members, choose, openMember, () => pickedFirst(members, pick))
  }
}

function openMember(member: Member, options: OpenOptions | undefined): Channel | Promise<Channel> {
  return member.openCounted(options)
}

/** Those with a connection. The others are asked to make one meanwhile, if it is time for that. */
function connected(members: readonly Member[]): readonly Member[] {
  let ready: Member[] | undefined
  for (let i = 0; i < members.length; i++) {
    const member = members[i] as Member
    const isReady = member.healthy && member.state === 'ready'
    if (isReady) ready?.push(member)
    else {
      ready ??= members.slice(0, i)
      if (member.available) member.probe()
    }
  }
  return ready ?? members
}

/** The order of a race while none has a connection: the calls that come then are spread, too. */
function pickedFirst(members: readonly Member[], pick: Pick): readonly Member[] {
  const healthy = members.filter((member) => member.healthy)
  const [these, others] =
    healthy.length === 0 ? [members, []] : [healthy, members.filter((member) => !healthy.includes(member))]
  const picked = these.length > 1 ? pick(these) : 0
  return [...these.slice(picked), ...these.slice(0, picked), ...others]
}

function roundRobin(): Pick {
  let turn = Math.floor(Math.random() * 1024)
  return (members) => {
    turn = (turn + 1) & 0xffff
    return turn % members.length
  }
}

/** Among equals one after the other: a single call at a time would always go to the first. */
function leastInFlight(): Pick {
  const next = roundRobin()
  return (members) => {
    let least = next(members)
    for (let n = 1, i = least; n < members.length; n++) {
      i = (i + 1) % members.length
      if (inFlight(members, i) < inFlight(members, least)) least = i
    }
    return least
  }
}

function powerOfTwoChoices(members: readonly Member[]): number {
  const one = Math.floor(Math.random() * members.length)
  const other = (one + 1 + Math.floor(Math.random() * (members.length - 1))) % members.length
  return inFlight(members, one) <= inFlight(members, other) ? one : other
}

function inFlight(members: readonly Member[], index: number): number {
  return (members[index] as Member).inFlight
}
