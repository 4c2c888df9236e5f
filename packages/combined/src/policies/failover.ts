import type { Channel, OpenOptions } from '@qrpc/core'
import type { Member } from '../member.ts'
import type { Policy } from '../policy.ts'
import { choosing } from './choosing.ts'
import { first } from './first.ts'

/**
 * The first member that works, in their order. One that cannot open a channel is left alone for a while; then it is
 * tried in the background, and gets its place back once it works. With none that works all are tried, each 250 ms after
 * the one before it. A call is never moved after it was sent.
 */
export function failover(): Policy {
  return (members) => {
    if (members.length === 1) return first()(members)
    return choosing(members, () => firstHealthy(members), openMember)
  }
}

function openMember(member: Member, options: OpenOptions | undefined): Channel | Promise<Channel> {
  return member.open(options)
}

/** Those before it are asked to connect meanwhile, if it is time for that. */
function firstHealthy(members: readonly Member[]): Member | undefined {
  const [preferred] = members as readonly [Member]
  // The way of nearly all calls.
  if (preferred.healthy) return preferred
  const chosen = members.find((member) => member.healthy)
  if (chosen === undefined) return undefined
  for (const member of members) {
    if (member === chosen) break
    if (member.available) member.probe()
  }
  return chosen
}
