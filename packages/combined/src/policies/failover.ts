import type { Channel, OpenOptions } from '@qrpc/core'
import type { Member } from '../member.ts'
import type { Policy } from '../policy.ts'
import { tryEach } from './try-each.ts'

/**
 * The first member that works, in their order. One that cannot open a channel is left alone for a while; then it is
 * tried in the background, and gets its place back once it works. A call is never moved after it was sent.
 */
export function failover(): Policy {
  return (members) => (options) => {
    const [preferred] = members
    // The way of nearly all calls.
    if (preferred?.healthy) return tryEach(members, options, openMember)
    return tryEach(inOrder(members), options, openMember)
  }
}

function openMember(member: Member, options: OpenOptions | undefined): Channel | Promise<Channel> {
  return member.open(options)
}

/** Those that work, and then the others: with nothing better a try costs nothing but time. */
function* inOrder(members: readonly Member[]): Iterable<Member> {
  const working = members.filter((member) => member.healthy)
  for (const member of members) {
    if (member === working[0]) break
    if (member.available) member.probe()
  }
  yield* working
  for (const member of members) if (!working.includes(member)) yield member
}
